/* What a program must not notice of the signal of CPU profiles, where it is hardest to hide. */
#include "base/clock.h"
#include "probe/activate.h"
#include "probe/capture.h"
#include "probe/real.h"
#include "probe/signal.h"
#include "probe/thread.h"
#include "probe/timers.h"
#include "probe/wait.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <cmocka.h>

#define STACK_BYTES ((size_t)8 << 10)

static volatile uint64_t sink;

static void burn_ms(int milliseconds)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    int64_t end_ns = now.tv_sec * PH_NS_PER_S + now.tv_nsec + milliseconds * PH_NS_PER_MS;
    do {
        for (int i = 0; i < 10000; i++)
            sink += (uint64_t)i;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    } while (now.tv_sec * PH_NS_PER_S + now.tv_nsec < end_ns);
}

static uint64_t drain(pid_t tid)
{
    struct ph_capture capture;
    uint64_t count = 0;
    while (ph_sampling_take(&capture)) {
        count += tid == 0 || capture.tid == tid ? capture.count : 0;
        ph_sampling_give_back(&capture);
    }
    return count;
}

static void end(void)
{
    struct ph_sampling_counts counts;
    ph_sampling_end(&counts);
    drain(0);
}

/* ---- The host's signals end calls, always ---- */

#define ROUNDS  8
#define TIMEOUT 20

static int in_epoll_wait(void)
{
    struct epoll_event event;
    static int epoll = -1;
    epoll = epoll < 0 ? epoll_create1(EPOLL_CLOEXEC) : epoll;
    return epoll_wait(epoll, &event, 1, TIMEOUT * 1000);
}

static int in_poll(void)
{
    return poll(NULL, 0, TIMEOUT * 1000);
}

static int in_ppoll(void)
{
    struct timespec timeout = {TIMEOUT, 0};
    sigset_t none;
    sigemptyset(&none);
    return ppoll(NULL, 0, &timeout, &none);
}

static int in_select(void)
{
    struct timeval timeout = {TIMEOUT, 0};
    return select(0, NULL, NULL, NULL, &timeout);
}

static int in_sigsuspend(void)
{
    sigset_t none;
    sigemptyset(&none);
    return sigsuspend(&none);
}

static int in_nanosleep(void)
{
    struct timespec timeout = {TIMEOUT, 0};
    return nanosleep(&timeout, NULL);
}

static int in_usleep(void)
{
    return usleep(TIMEOUT * 1000000);
}

static int in_sem_wait(void)
{
    static sem_t semaphore;
    return sem_wait(&semaphore);
}

static int in_sem_timedwait(void)
{
    static sem_t semaphore;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += TIMEOUT;
    return sem_timedwait(&semaphore, &until);
}

static int in_read(void)
{
    static int fds[2] = {-1, -1};
    char byte;
    if (fds[0] < 0 && pipe(fds) < 0)
        return 0;
    return (int)read(fds[0], &byte, 1);
}

static int in_sigtimedwait(void)
{
    struct timespec timeout = {TIMEOUT, 0};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    return sigtimedwait(&set, NULL, &timeout);
}

static const struct {
    const char *name;
    int (*call)(void);
} calls[] = {
    {"epoll_wait", in_epoll_wait},
    {"poll", in_poll},
    {"ppoll", in_ppoll},
    {"select", in_select},
    {"pause", pause},
    {"sigsuspend", in_sigsuspend},
    {"nanosleep", in_nanosleep},
    {"usleep", in_usleep},
    {"sem_wait", in_sem_wait},
    {"read", in_read},
    {"sem_timedwait", in_sem_timedwait},
    {"sigtimedwait", in_sigtimedwait},
};

struct interrupted {
    int (*call)(void);
    pid_t tid;
    int done_count, eintr_count;
};

static void work_in_handler(int number)
{
    (void)number;
    burn_ms(9); /* a tick and more: a timer goes off meanwhile, and its signal waits until the handler returns */
}

static void *be_interrupted(void *argument)
{
    struct interrupted *interrupted = argument;
    sigset_t before, after;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    __atomic_store_n(&interrupted->tid, gettid(), __ATOMIC_RELEASE);
    for (int i = 0; i < ROUNDS; i++) {
        interrupted->eintr_count += interrupted->call() < 0 && errno == EINTR;
        __atomic_fetch_add(&interrupted->done_count, 1, __ATOMIC_RELEASE);
    }
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    if (memcmp(&before, &after, sizeof(uint64_t)) != 0)
        interrupted->eintr_count = -1;
    return NULL;
}

static bool reaches(const int *count, int wanted)
{
    for (int i = 0; i < 5000 && __atomic_load_n(count, __ATOMIC_ACQUIRE) < wanted; i++)
        usleep(1000);
    return __atomic_load_n(count, __ATOMIC_ACQUIRE) >= wanted;
}

/* A handler that blocks all signals, ours among them: ours is delivered between its return and that of the call. */
static void a_call_that_a_handler_has_interrupted_does_not_go_on(void **state)
{
    struct sigaction works = {.sa_handler = work_in_handler}, before;
    (void)state;
    sigfillset(&works.sa_mask);
    sigaction(SIGUSR1, &works, &before);
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        static struct interrupted interrupted;
        pthread_t thread;
        interrupted = (struct interrupted){.call = calls[i].call};
        assert_int_equal(ph_sampling_begin(1000, STACK_BYTES), 0);
        pthread_create(&thread, NULL, be_interrupted, &interrupted);
        while (!__atomic_load_n(&interrupted.tid, __ATOMIC_ACQUIRE))
            sched_yield();
        assert_int_equal(ph_sampling_arm(interrupted.tid), 0);
        for (int round = 0; round < ROUNDS; round++) {
            usleep(20000);
            pthread_kill(thread, SIGUSR1);
            if (!reaches(&interrupted.done_count, round + 1))
                fail_msg("%s goes on although a signal of the host has come", calls[i].name);
        }
        pthread_join(thread, NULL);
        assert_true(drain(interrupted.tid) > 0);
        end();
        if (interrupted.eintr_count != ROUNDS)
            fail_msg("%s: %d times EINTR", calls[i].name, interrupted.eintr_count);
    }
    sigaction(SIGUSR1, &before, NULL);
}

#define PIPES 400

/* What the kernel did in the call is told at its end, as of the call. */
static void time_in_a_call_that_waits_is_that_calls(void **state)
{
    (void)state;
    struct pollfd fds[PIPES];
    struct ph_capture capture;
    int in_call = 0;
    for (size_t i = 0; i < PIPES; i++) {
        int pair[2];
        assert_int_equal(pipe(pair), 0);
        fds[i] = (struct pollfd){.fd = pair[0], .events = POLLIN};
    }
    assert_int_equal(ph_sampling_begin(1000, STACK_BYTES), 0);
    ph_sampling_arm(gettid());
    for (int i = 0; i < 3000 && in_call == 0; i++) {
        poll(fds, PIPES, 1);
        while (ph_sampling_take(&capture)) {
            uintptr_t back = 0;
            memcpy(&back, capture.stack, sizeof(back));
            in_call += capture.registers[16] == (uintptr_t)ph_real()->poll &&
                       back - (uintptr_t)time_in_a_call_that_waits_is_that_calls < 4096;
            ph_sampling_give_back(&capture);
        }
    }
    end();
    assert_true(in_call > 0);
}

static greg_t behind_syscall(const void *function)
{
    const uint8_t *code = function;
    for (size_t i = 0; i < 512; i++)
        if (code[i] == 0x0f && code[i + 1] == 0x05)
            return (greg_t)(uintptr_t)(code + i + 2);
    return 0;
}

/* A dump of all threads while a profile is taken: the handler of the one finds the other waiting. */
static void two_signals_of_ours_at_once_do_not_end_a_call(void **state)
{
    (void)state;
    sigset_t ours, before;
    int number = ph_signal_acquire();
    ucontext_t interrupted = {.uc_flags = 0};
    interrupted.uc_mcontext.gregs[REG_RIP] = behind_syscall((void *)ph_real()->poll);
    interrupted.uc_mcontext.gregs[REG_RAX] = -EINTR;
    sigemptyset(&ours);
    sigaddset(&ours, number);
    pthread_sigmask(SIG_BLOCK, &ours, &before);
    assert_int_equal(ph_signal_send(number, gettid(), 0xff), 0);
    struct ph_wait wait = ph_wait_begin(__builtin_frame_address(0), NULL);
    ph_wait_interrupted_sig(&interrupted);
    errno = EINTR;
    assert_true(ph_wait_goes_on(&wait, -1));
    ph_wait_end(&wait);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- Processes ---- */

static int status_of(pid_t child)
{
    int status = -1;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        fail_msg("the child ended by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

static void *ask_once(void *tid)
{
    ph_ask(*(pid_t *)tid);
    return NULL;
}

/* As a server does that executes itself anew. */
static void a_program_executed_by_a_thread_that_was_asked_is_not_ended(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        sigset_t all;
        pthread_t thread;
        pid_t tid = getpid();
        alarm(20);
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, NULL);
        pthread_create(&thread, NULL, ask_once, &tid);
        pthread_join(thread, NULL);
        execl("/usr/bin/env", "env", "--default-signal", "--block-signal=", "sh", "-c", "exit 7", (char *)NULL);
        _exit(1);
    }
    assert_int_equal(status_of(child), 7);
}

static void *burn(void *argument)
{
    burn_ms(100);
    return argument;
}

/* It runs no handlers of pthread_atfork(): what the child finds says that timers run. */
static void threads_in_a_child_of_a_bare_fork_have_no_timers(void **state)
{
    (void)state;
    assert_int_equal(ph_sampling_begin(1000, STACK_BYTES), 0);
    pid_t child = _Fork();
    if (child == 0) {
        pthread_t thread;
        struct ph_guard guard;
        alarm(20);
        if (!ph_guard_enter(&guard) || ph_thread_create(&guard, &thread, NULL, burn, NULL) != 0)
            _exit(1);
        ph_guard_leave(&guard);
        pthread_join(thread, NULL);
        _exit(7);
    }
    int status = status_of(child);
    end();
    assert_int_equal(status, 7);
}

/* ---- Coroutines ---- */

#define COROUTINE_BYTES (32 << 10)

static ucontext_t outside, inside;

static void burn_in_coroutine(void)
{
    burn_ms(500);
}

static void run_coroutine(char *stack)
{
    getcontext(&inside);
    inside.uc_stack.ss_sp = stack;
    inside.uc_stack.ss_size = COROUTINE_BYTES;
    inside.uc_link = &outside;
    makecontext(&inside, burn_in_coroutine, 0);
    swapcontext(&outside, &inside);
}

static bool stop;

static void *come_and_go(void *place)
{
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        mmap(place, COROUTINE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE,
             -1, 0);
        for (volatile int i = 0; i < 10000; i++)
            ;
        mprotect(place, COROUTINE_BYTES, PROT_NONE);
    }
    return NULL;
}

/* What lies behind a coroutine's stack is another's, and may go while it is copied. */
static void a_stack_whose_neighbour_goes_is_copied_without_harm(void **state)
{
    (void)state;
    pthread_t thread;
    char *stack = mmap(NULL, 2 * COROUTINE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(stack, MAP_FAILED);
    stop = false;
    assert_int_equal(ph_sampling_begin(1000, PH_CAPTURE_STACK_BYTES), 0);
    ph_sampling_arm(gettid());
    pthread_create(&thread, NULL, come_and_go, stack + COROUTINE_BYTES);
    for (int i = 0; i < 4; i++) {
        run_coroutine(stack);
        assert_true(drain(gettid()) > 0);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    end();
    munmap(stack, 2 * COROUTINE_BYTES);
}

static int forbid(int number)
{
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(steps) / sizeof(steps[0]), steps};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -1 : prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* Timers go off still, and what their handler asks the kernel may be forbidden. */
static void a_filter_that_comes_while_timers_run_is_not_the_programs_end(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        char *stack = mmap(NULL, COROUTINE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (ph_sampling_begin(1000, STACK_BYTES) != 0 || ph_sampling_arm(gettid()) != 0 ||
            forbid(SYS_process_vm_readv) < 0)
            _exit(1);
        run_coroutine(stack);
        _exit(7);
    }
    assert_int_equal(status_of(child), 7);
}

static int set_up(void **state)
{
    (void)state;
    ph_activation_init(NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_that_a_handler_has_interrupted_does_not_go_on),
        cmocka_unit_test(time_in_a_call_that_waits_is_that_calls),
        cmocka_unit_test(two_signals_of_ours_at_once_do_not_end_a_call),
        cmocka_unit_test(a_program_executed_by_a_thread_that_was_asked_is_not_ended),
        cmocka_unit_test(threads_in_a_child_of_a_bare_fork_have_no_timers),
        cmocka_unit_test(a_stack_whose_neighbour_goes_is_copied_without_harm),
        cmocka_unit_test(a_filter_that_comes_while_timers_run_is_not_the_programs_end),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
