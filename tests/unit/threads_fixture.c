#include "threads_fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define THREADS_MAX 11000
#define SIGNAL      SIGUSR2

/* ---- The registry ---- */

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct thread *registry[THREADS_MAX];
static size_t registry_count;

static struct ph_thread record_of(size_t place)
{
    const struct thread *thread = registry[place];
    return (struct ph_thread){.tid = thread->tid,
                              .slot = (uint32_t)place + 1,
                              .own = thread->own,
                              .waits_since_ns = thread->waits_since_ns,
                              .wait_frame = thread->wait_frame,
                              .label_set = thread->label_set};
}

static size_t list_threads(struct ph_thread *ret_threads, size_t capacity)
{
    pthread_mutex_lock(&registry_lock);
    size_t count = registry_count + 1;
    if (capacity) /* who asks is a thread of ours */
        *ret_threads = (struct ph_thread){.tid = (pid_t)syscall(SYS_gettid), .own = true};
    for (size_t i = count; i-- > 1;) /* in no order */
        if (i < capacity)
            ret_threads[i] = record_of(count - 1 - i);
    pthread_mutex_unlock(&registry_lock);
    return count;
}

static bool find_thread(uint32_t slot, pid_t tid, struct ph_thread *ret_thread)
{
    pthread_mutex_lock(&registry_lock);
    bool is_there = slot >= 1 && slot <= registry_count && registry[slot - 1]->tid == tid;
    if (is_there)
        *ret_thread = record_of(slot - 1);
    pthread_mutex_unlock(&registry_lock);
    return is_there;
}

/* ---- Asking ---- */

static struct answer {
    _Atomic pid_t tid; /* 0: free */
    _Atomic bool is_there;
    struct ph_capture capture;
    uint8_t stack[16384];
} answers[PH_ASKED_MAX];

_Atomic int fixture_signals;

/* The DWARF numbers of x86-64's registers in the order of the psABI, as places in gregs. */
static void copy_registers(const ucontext_t *context, struct ph_capture *capture)
{
#if defined(__x86_64__)
    static const int places[] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
                                 REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        capture->registers[i] = (uint64_t)context->uc_mcontext.gregs[places[i]];
    capture->stack_low = capture->registers[7];
#elif defined(__aarch64__)
    memcpy(capture->registers, context->uc_mcontext.regs, 31 * sizeof(uint64_t));
    capture->registers[31] = context->uc_mcontext.sp;
    capture->registers[32] = context->uc_mcontext.pc;
    capture->stack_low = capture->registers[31];
#endif
}

/* Of a stack that others write to: not memcpy(), into which sanitizers look. */
__attribute__((no_sanitize("address"))) static void copy_stack(uint8_t *to, uint64_t from, size_t size_bytes)
{
    const volatile uint8_t *bytes = (const volatile uint8_t *)(uintptr_t)from;
    for (size_t i = 0; i < size_bytes; i++)
        to[i] = bytes[i];
}

/* Threads of tests have stacks of 64 KiB and more below them; the copy ends with the page that holds 1 KiB. */
static void answer(int signal, siginfo_t *info, void *context)
{
    struct answer *answer = &answers[info->si_value.sival_int % PH_ASKED_MAX];
    (void)signal;
    if (answer->tid != (pid_t)syscall(SYS_gettid))
        return;
    copy_registers(context, &answer->capture);
    answer->capture.tid = answer->tid;
    answer->capture.stack_bytes = 4096 - answer->capture.stack_low % 4096;
    copy_stack(answer->stack, answer->capture.stack_low, answer->capture.stack_bytes);
    answer->capture.stack = answer->stack;
    answer->is_there = true;
}

static int ask(pid_t tid)
{
    for (int i = 0; i < PH_ASKED_MAX; i++) {
        pid_t nobody = 0;
        if (!__atomic_compare_exchange_n((pid_t *)&answers[i].tid, &nobody, tid, false, __ATOMIC_SEQ_CST,
                                         __ATOMIC_SEQ_CST))
            continue;
        answers[i].is_there = false;
        siginfo_t info = {.si_code = SI_QUEUE};
        info.si_value.sival_int = i;
        fixture_signals++;
        if (syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, SIGNAL, &info) == 0)
            return i;
        answers[i].tid = 0;
        return -errno;
    }
    return -EAGAIN;
}

static int asked(int ticket, struct ph_capture *ret_capture)
{
    if (!answers[ticket].is_there)
        return -EAGAIN;
    *ret_capture = answers[ticket].capture;
    return 0;
}

static void unask(int ticket)
{
    answers[ticket].tid = 0;
}

static const struct ph_label_set *label_set(uint32_t number)
{
    static const struct ph_label_set none, job = {1, {{"job", "indexing"}}};
    return number == 7 ? &job : &none;
}

const struct ph_probe fixture_probe = {.abi = PH_PROBE_ABI,
                                       .threads = list_threads,
                                       .thread = find_thread,
                                       .ask = ask,
                                       .asked = asked,
                                       .unask = unask,
                                       .label_set = label_set};

/* ---- Threads ---- */

static void *run(void *argument)
{
    struct thread *thread = argument;
    if (thread->name)
        pthread_setname_np(pthread_self(), thread->name);
    thread->tid = (pid_t)syscall(SYS_gettid);
    thread->body(thread);
    return NULL;
}

void thread_start(struct thread *thread)
{
    pthread_attr_t attributes;
    thread->tid = 0;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 128 << 10);
    if (pthread_create(&thread->thread, &attributes, run, thread) != 0)
        abort();
    pthread_attr_destroy(&attributes);
    while (!thread->tid)
        sched_yield();
    pthread_mutex_lock(&registry_lock);
    registry[registry_count++] = thread;
    pthread_mutex_unlock(&registry_lock);
}

static char state_of(pid_t tid)
{
    char path[64], text[512] = "";
    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)tid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 'X';
    size_t length = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    const char *end = length ? strrchr(text, ')') : NULL;
    return end ? end[2] : '?';
}

void thread_await(pid_t tid, char state)
{
    const struct timespec pause = {0, 200000};
    while (state_of(tid) != state)
        nanosleep(&pause, NULL);
}

void thread_start_blocked(struct thread *thread)
{
    thread_start(thread);
    thread_await(thread->tid, 'S');
}

void thread_start_spinning(struct thread *thread)
{
    thread_start(thread);
    while (!thread->spins)
        sched_yield();
}

void thread_join(struct thread *thread)
{
    pthread_join(thread->thread, NULL);
    pthread_mutex_lock(&registry_lock);
    for (size_t i = 0; i < registry_count; i++)
        if (registry[i] == thread)
            registry[i] = registry[--registry_count];
    pthread_mutex_unlock(&registry_lock);
}

long thread_switches(pid_t tid)
{
    char path[64], line[256];
    long count = -1;
    snprintf(path, sizeof(path), "/proc/self/task/%d/status", (int)tid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "voluntary_ctxt_switches: %ld", &count) == 1)
            break;
    if (file)
        fclose(file);
    return count;
}

/* ---- Bodies ---- */

static _Atomic bool is_released;
static sem_t semaphore;
static int release_fd = -1; /* readable when released */

__attribute__((noinline)) void body_spin(struct thread *thread)
{
    volatile uint64_t work = 0;
    thread->spins = true;
    while (!is_released)
        work = work + 1;
}

static void mask_all(void)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
}

__attribute__((noinline)) void body_spin_masked(struct thread *thread)
{
    mask_all();
    body_spin(thread);
}

/* Sleeps end when they are over: a signal would not tell from a disturbance. */
__attribute__((noinline)) void body_sleep(struct thread *thread)
{
    struct timespec slice = {0, 700 * 1000000};
    while (!is_released)
        if (nanosleep(&slice, NULL) < 0 && errno == EINTR)
            thread->interruptions++;
}

__attribute__((noinline)) void body_sleep_masked(struct thread *thread)
{
    mask_all();
    body_sleep(thread);
}

__attribute__((noinline)) void body_epoll(struct thread *thread)
{
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(epoll, EPOLL_CTL_ADD, release_fd, &event);
    *(int *)thread->argument = epoll;
    /* Not by a sanitizer's epoll_wait(), which keeps a frame pointer that nobody tells. */
    while (syscall(SYS_epoll_wait, epoll, &event, 1, -1) < 0 && errno == EINTR)
        thread->interruptions++;
    close(epoll);
}

__attribute__((noinline)) void body_receive(struct thread *thread)
{
    char byte;
    while (recv(*(int *)thread->argument, &byte, 1, 0) < 0 && errno == EINTR)
        thread->interruptions++;
}

__attribute__((noinline)) void body_semaphore(struct thread *thread)
{
    while (sem_wait(&semaphore) < 0 && errno == EINTR)
        thread->interruptions++;
}

__attribute__((noinline)) void body_lock(struct thread *thread)
{
    pthread_mutex_t *mutex = thread->argument;
    pthread_mutex_lock(mutex);
    pthread_mutex_unlock(mutex);
}

__attribute__((noinline)) void body_hold(struct thread *thread)
{
    pthread_mutex_t *mutex = thread->argument;
    pthread_mutex_lock(mutex);
    body_semaphore(thread);
    pthread_mutex_unlock(mutex);
}

void fixture_begin(void)
{
    struct sigaction action = {.sa_sigaction = answer, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGNAL, &action, NULL);
    is_released = false;
    fixture_signals = 0;
    sem_init(&semaphore, 0, 0);
    release_fd = eventfd(0, EFD_CLOEXEC);
}

void fixture_release(void)
{
    uint64_t one = 1;
    is_released = true;
    if (write(release_fd, &one, sizeof(one)) != sizeof(one))
        abort();
    for (int i = 0; i < THREADS_MAX; i++)
        sem_post(&semaphore);
}
