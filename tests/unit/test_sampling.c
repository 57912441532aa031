/* Timers, captures and asking, on threads of the test; and what the host must not notice of them. */
#include "base/clock.h"
#include "probe/activate.h"
#include "probe/capture.h"
#include "probe/counters.h"
#include "probe/real.h"
#include "probe/signal.h"
#include "probe/thread.h"
#include "probe/timers.h"
#include "probe/wait.h"

#include <errno.h>
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
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <cmocka.h>

#define STACK_BYTES ((size_t)8 << 10)

static volatile bool stop;
static volatile uint64_t sink;

static __attribute__((noinline)) void burn(void)
{
    for (int i = 0; i < 10000; i++)
        sink += (uint64_t)i;
}

static void *burn_until_stopped(void *tid)
{
    __atomic_store_n((pid_t *)tid, gettid(), __ATOMIC_RELEASE);
    while (!stop)
        burn();
    return NULL;
}

static pid_t wait_for_tid(const pid_t *tid)
{
    while (!__atomic_load_n(tid, __ATOMIC_ACQUIRE))
        sched_yield();
    return *tid;
}

static void burn_ms(int milliseconds)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    int64_t end_ns = now.tv_sec * PH_NS_PER_S + now.tv_nsec + milliseconds * PH_NS_PER_MS;
    do {
        burn();
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    } while (now.tv_sec * PH_NS_PER_S + now.tv_nsec < end_ns);
}

/* How many expirations were captured of @tid (0: of all); everything is given back. */
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

static void begin(unsigned hz)
{
    assert_int_equal(ph_sampling_begin(hz, STACK_BYTES), 0);
}

static struct ph_sampling_counts end(void)
{
    struct ph_sampling_counts counts;
    drain(0);
    ph_sampling_end(&counts);
    return counts;
}

/* ---- Timers ---- */

static void a_thread_that_burns_is_captured_as_often_as_its_cpu_time_says(void **state)
{
    (void)state;
    begin(250);
    assert_int_equal(ph_sampling_arm(gettid()), 0);
    assert_int_equal(ph_sampling_arm(gettid()), 0); /* it has one */
    uint64_t count = 0;
    for (int i = 0; i < 10; i++) {
        burn_ms(40);
        count += drain(gettid());
    }
    struct ph_sampling_counts counts = end();
    assert_in_range(count, 80, 105); /* 0.4 s at 250 Hz; the clock is read at ticks */
    assert_int_equal(counts.dropped_full, 0);
}

static void a_capture_holds_the_registers_and_the_stack(void **state)
{
    struct ph_capture capture;
    volatile uint64_t marks[16];
    (void)state;
    for (size_t i = 0; i < 16; i++)
        marks[i] = UINT64_C(0x1234567800000000) + i;
    begin(1000);
    ph_sampling_arm(gettid());
    burn_ms(50);
    assert_true(ph_sampling_take(&capture));
    assert_int_equal(capture.tid, gettid());
    assert_int_equal(capture.registers[7] - capture.stack_low, 128); /* with the red zone */
    assert_true(capture.stack_low < (uintptr_t)marks);
    uintptr_t offset = (uintptr_t)marks - capture.stack_low;
    assert_true(offset + sizeof(marks) <= capture.stack_bytes);
    assert_memory_equal(capture.stack + offset, (const void *)marks, sizeof(marks));
    assert_true(capture.stack_is_cut || capture.stack_low + capture.stack_bytes == capture.stack_high);
    ph_sampling_give_back(&capture);
    end();
}

static void a_thread_that_begins_meanwhile_is_captured_and_one_that_ends_leaves_no_timer(void **state)
{
    (void)state;
    pthread_t thread;
    pid_t tid = 0;
    struct ph_guard guard;
    stop = false;
    begin(1000);
    assert_true(ph_guard_enter(&guard));
    assert_int_equal(ph_thread_create(&guard, &thread, NULL, burn_until_stopped, &tid), 0);
    ph_guard_leave(&guard);
    wait_for_tid(&tid);
    usleep(200000);
    stop = true;
    pthread_join(thread, NULL);
    assert_true(drain(tid) > 20);
    end();
    FILE *timers = fopen("/proc/self/timers", "r");
    if (timers)
        assert_int_equal(fgetc(timers), EOF);
    if (timers)
        fclose(timers);
}

static void a_full_ring_is_counted(void **state)
{
    (void)state;
    begin(1000);
    ph_sampling_arm(gettid());
    burn_ms(1000); /* the least ring has 128 places, and a tick is 4 ms: expirations count */
    for (int i = 0; i < 40 && drain(0) == 0; i++)
        burn_ms(10);
    struct ph_sampling_counts counts = end();
    assert_true(counts.captured > 0);
}

static int burn_in_clone(void *tid)
{
    burn_until_stopped(tid);
    return 0;
}

static void a_thread_of_a_bare_clone_can_be_armed(void **state)
{
    (void)state;
    static char memory[1 << 16] __attribute__((aligned(16)));
    pid_t tid = 0;
    stop = false;
    begin(1000);
    int made = clone(burn_in_clone, memory + sizeof(memory),
                     CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, &tid);
    assert_true(made > 0);
    assert_int_equal(ph_sampling_arm(made), 0);
    usleep(150000);
    stop = true;
    uint64_t count = drain(made);
    end();
    usleep(20000);
    assert_true(count > 10);
}

static void only_one_samples_at_a_time(void **state)
{
    (void)state;
    begin(100);
    assert_int_equal(ph_sampling_begin(100, STACK_BYTES), -EBUSY);
    end();
    begin(100);
    end();
}

static void a_thread_that_has_ended_is_no_thread(void **state)
{
    (void)state;
    begin(100);
    assert_int_equal(ph_sampling_arm(0x3ffffff), -ESRCH);
    assert_int_equal(ph_ask(0x3ffffff), -ESRCH);
    end();
}

/* ---- Asking ---- */

static int answer(int ticket, struct ph_capture *ret_capture)
{
    int result = -EAGAIN;
    for (int i = 0; i < 2000 && result == -EAGAIN; i++) {
        result = ph_asked(ticket, ret_capture);
        usleep(1000);
    }
    return result;
}

static void a_running_thread_that_is_asked_answers(void **state)
{
    (void)state;
    pthread_t thread;
    pid_t tid = 0;
    struct ph_capture capture;
    stop = false;
    pthread_create(&thread, NULL, burn_until_stopped, &tid);
    int ticket = ph_ask(wait_for_tid(&tid));
    assert_true(ticket >= 0);
    assert_int_equal(answer(ticket, &capture), 0);
    assert_int_equal(capture.tid, tid);
    assert_true(capture.stack_bytes > 0);
    ph_unask(ticket);
    stop = true;
    pthread_join(thread, NULL);
}

static void *block_all_and_burn(void *tid)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    return burn_until_stopped(tid);
}

static void one_that_blocks_signals_does_not_answer_and_its_late_answer_harms_nobody(void **state)
{
    (void)state;
    pthread_t thread;
    pid_t tid = 0;
    struct ph_capture capture;
    stop = false;
    pthread_create(&thread, NULL, block_all_and_burn, &tid);
    int ticket = ph_ask(wait_for_tid(&tid));
    assert_true(ticket >= 0);
    usleep(50000);
    assert_int_equal(ph_asked(ticket, &capture), -EAGAIN);
    ph_unask(ticket);
    stop = true;
    pthread_join(thread, NULL);
}

static void more_than_there_are_tickets_are_refused(void **state)
{
    (void)state;
    pthread_t thread;
    pid_t tid = 0;
    int tickets[PH_ASKED_MAX];
    stop = false;
    pthread_create(&thread, NULL, block_all_and_burn, &tid);
    wait_for_tid(&tid);
    for (size_t i = 0; i < PH_ASKED_MAX; i++)
        assert_true((tickets[i] = ph_ask(tid)) >= 0);
    assert_int_equal(ph_ask(tid), -EAGAIN);
    for (size_t i = 0; i < PH_ASKED_MAX; i++)
        ph_unask(tickets[i]);
    int ticket = ph_ask(tid);
    assert_true(ticket >= 0);
    ph_unask(ticket);
    stop = true;
    pthread_join(thread, NULL);
}

/* ---- What the host must not notice ---- */

/* A thread of the host in a call, asked again and again while it waits: worse than what Porthole does. */
struct waiter {
    int (*call)(void);
    int result, error;
    int64_t took_ns;
    sigset_t mask_before, mask_after;
    pid_t tid;
};

static void *wait_in_call(void *argument)
{
    struct waiter *waiter = argument;
    pthread_sigmask(SIG_SETMASK, NULL, &waiter->mask_before);
    __atomic_store_n(&waiter->tid, gettid(), __ATOMIC_RELEASE);
    int64_t start_ns = ph_clock_monotonic_ns();
    errno = 0;
    waiter->result = waiter->call();
    waiter->error = errno;
    pthread_sigmask(SIG_SETMASK, NULL, &waiter->mask_after);
    waiter->took_ns = ph_clock_monotonic_ns() - start_ns;
    return NULL;
}

#define WAIT_MS 300

static int epoll_waits(void)
{
    struct epoll_event event;
    int epoll = epoll_create1(0), result = epoll_wait(epoll, &event, 1, WAIT_MS);
    int saved_errno = errno;
    close(epoll);
    errno = saved_errno;
    return result;
}

static int poll_waits(void)
{
    return poll(NULL, 0, WAIT_MS);
}

static int ppoll_waits(void)
{
    struct timespec timeout = {0, WAIT_MS * PH_NS_PER_MS};
    sigset_t none;
    sigemptyset(&none);
    return ppoll(NULL, 0, &timeout, &none);
}

static int select_waits(void)
{
    struct timeval timeout = {0, WAIT_MS * 1000};
    int result = select(0, NULL, NULL, NULL, &timeout);
    return result == 0 && timeout.tv_usec == 0 ? 0 : -1;
}

static int pselect_waits(void)
{
    struct timespec timeout = {0, WAIT_MS * PH_NS_PER_MS};
    return pselect(0, NULL, NULL, NULL, &timeout, NULL);
}

static int nanosleep_waits(void)
{
    struct timespec timeout = {0, WAIT_MS * PH_NS_PER_MS};
    return nanosleep(&timeout, NULL);
}

static int clock_nanosleep_waits(void)
{
    struct timespec timeout = {0, WAIT_MS * PH_NS_PER_MS};
    return clock_nanosleep(CLOCK_MONOTONIC, 0, &timeout, NULL);
}

static int usleep_waits(void)
{
    return usleep(WAIT_MS * 1000);
}

static int sem_timedwait_waits(void)
{
    sem_t semaphore;
    struct timespec until;
    sem_init(&semaphore, 0, 0);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += WAIT_MS * PH_NS_PER_MS;
    until.tv_sec += until.tv_nsec / PH_NS_PER_S;
    until.tv_nsec %= PH_NS_PER_S;
    return sem_timedwait(&semaphore, &until) < 0 && errno == ETIMEDOUT ? 0 : -1;
}

static int sigtimedwait_waits(void)
{
    struct timespec timeout = {0, WAIT_MS * PH_NS_PER_MS};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    return sigtimedwait(&set, NULL, &timeout) < 0 && errno == EAGAIN ? 0 : -1;
}

static int recv_with_timeout_waits(void)
{
    int pair[2];
    char byte;
    struct timeval timeout = {0, WAIT_MS * 1000};
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
        return -1;
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    int result = recv(pair[0], &byte, 1, 0) < 0 && errno == EAGAIN ? 0 : -1;
    int saved_errno = errno;
    close(pair[0]);
    close(pair[1]);
    errno = saved_errno;
    return result;
}

static const struct {
    const char *name;
    int (*call)(void);
    int64_t most_ms;
} calls[] = {
    {"epoll_wait", epoll_waits, 900},
    {"poll", poll_waits, 900},
    {"ppoll", ppoll_waits, 900},
    {"select", select_waits, 900},
    {"pselect", pselect_waits, 900},
    {"nanosleep", nanosleep_waits, 900},
    {"clock_nanosleep", clock_nanosleep_waits, 900},
    {"usleep", usleep_waits, 900},
    {"sem_timedwait", sem_timedwait_waits, 900},
    {"sigtimedwait", sigtimedwait_waits, 900},
    {"recv", recv_with_timeout_waits, 1500},
};

/* Our signal, as nobody sends it to a thread that waits: it was just about to. */
static void cut_short(pid_t tid)
{
    ph_signal_send(ph_signal_acquire(), tid, 0);
}

/* Ten times in the first 200 ms or so. */
static void disturb(pid_t tid)
{
    for (int i = 0; i < 10; i++) {
        cut_short(tid);
        usleep(20000);
    }
}

static void calls_that_wait_go_on_for_the_time_that_is_left(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        struct waiter waiter = {.call = calls[i].call};
        struct ph_guard guard;
        pthread_t thread;
        assert_true(ph_guard_enter(&guard));
        assert_int_equal(ph_thread_create(&guard, &thread, NULL, wait_in_call, &waiter), 0);
        ph_guard_leave(&guard);
        disturb(wait_for_tid(&waiter.tid));
        pthread_join(thread, NULL);
        assert_memory_equal(&waiter.mask_after, &waiter.mask_before, sizeof(uint64_t));
        int64_t took_ms = waiter.took_ns / PH_NS_PER_MS;
        if (waiter.result != 0 || took_ms < WAIT_MS - 1 || took_ms > calls[i].most_ms)
            fail_msg("%s: %d (%s) after %d ms", calls[i].name, waiter.result, strerror(waiter.error), (int)took_ms);
    }
}

static uintptr_t behind_syscall(const void *function)
{
    const uint8_t *code = function;
    for (size_t i = 0; i < 512; i++)
        if (code[i] == 0x0f && code[i + 1] == 0x05)
            return (uintptr_t)code + i + 2;
    return 0;
}

static ucontext_t cut_short_at(uintptr_t pc, uintptr_t sp)
{
    ucontext_t context = {.uc_flags = 0};
    sigemptyset(&context.uc_sigmask);
    context.uc_mcontext.gregs[REG_RIP] = (greg_t)pc;
    context.uc_mcontext.gregs[REG_RSP] = (greg_t)sp;
    context.uc_mcontext.gregs[REG_RAX] = -EINTR;
    return context;
}

/* From the handler's return until the call goes on no handler of the host can run: its signal would be lost on the call. */
static void an_event_loop_that_is_cut_short_has_all_signals_blocked(void **state)
{
    uintptr_t pc = behind_syscall((void *)ph_real()->poll), sp = (uintptr_t)&pc;
    ucontext_t inside = cut_short_at(pc, sp),
               outside = cut_short_at(behind_syscall((void *)ph_real()->nanosleep), sp);
    struct ph_wait wait = ph_wait_begin((void *)(sp + 100), (void *)ph_real()->poll);
    (void)state;
    assert_true(pc);
    ph_wait_interrupted_sig(&inside);
    assert_int_equal(sigismember(&inside.uc_sigmask, SIGTERM), 1);
    errno = EINTR;
    assert_true(ph_wait_goes_on(&wait, -1));
    assert_true(wait.is_masked);
    assert_int_equal(wait.mask, 0);
    assert_false(ph_wait_goes_on(&wait, -1));
    ph_wait_interrupted_sig(&outside);
    assert_int_equal(sigismember(&outside.uc_sigmask, SIGTERM), 0);
    wait.is_masked = false;
    ph_wait_end(&wait);
}

static struct waiter jumper;
static sigjmp_buf way_out;

static void look_and_leave(int number)
{
    sigset_t mask;
    (void)number;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    jumper.error = sigismember(&mask, SIGUSR2); /* in the call, the host's mask holds */
    siglongjmp(way_out, 1);
}

static void *leave_by_jump(void *tid)
{
    struct pollfd none;
    sigset_t set;
    pthread_sigmask(SIG_SETMASK, NULL, &jumper.mask_before);
    __atomic_store_n(&jumper.tid, gettid(), __ATOMIC_RELEASE);
    if (sigsetjmp(way_out, 1) == 0)
        poll(&none, 0, 20000);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    jumper.result = poll(&none, 0, 1);
    pthread_sigmask(SIG_SETMASK, NULL, &jumper.mask_after);
    return tid;
}

/* Cut short by ours first, so that all signals were blocked; then left by longjmp(): the next call must not bring that mask back. */
static void a_call_that_goes_on_can_be_left_by_longjmp(void **state)
{
    struct sigaction jumps = {.sa_handler = look_and_leave}, before;
    pthread_t thread;
    (void)state;
    jumper = (struct waiter){.error = -1};
    sigaction(SIGUSR1, &jumps, &before);
    pthread_create(&thread, NULL, leave_by_jump, NULL);
    wait_for_tid(&jumper.tid);
    usleep(30000);
    for (int i = 0; i < 3; i++) {
        cut_short(jumper.tid);
        usleep(10000);
    }
    pthread_kill(thread, SIGUSR1);
    pthread_join(thread, NULL);
    sigaction(SIGUSR1, &before, NULL);
    assert_int_equal(jumper.error, 0);
    assert_int_equal(jumper.result, 0);
    assert_int_equal(sigismember(&jumper.mask_after, SIGUSR2), 1);
    assert_int_equal(sigismember(&jumper.mask_after, SIGUSR1), 0);
    assert_int_equal(sigismember(&jumper.mask_after, SIGTERM), 0);
}

static volatile sig_atomic_t handled;

static void count_signal(int number)
{
    (void)number;
    handled++;
}

static int epoll_waits_long(void)
{
    struct epoll_event event;
    return epoll_wait(epoll_create1(EPOLL_CLOEXEC), &event, 1, 20000);
}

static void wait_until_inside(pid_t tid)
{
    char path[64], text[32] = "";
    snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", (int)tid);
    for (int i = 0; i < 5000; i++) {
        FILE *file = fopen(path, "r");
        bool is_inside = file && fgets(text, sizeof(text), file) && strtol(text, NULL, 10) == SYS_epoll_wait;
        if (file)
            fclose(file);
        if (is_inside)
            return;
        usleep(1000);
    }
}

static bool ends_within_s(pthread_t thread, int seconds)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += seconds;
    return pthread_timedjoin_np(thread, NULL, &end) == 0;
}

/* Each of its own signals ends a call, however many of ours come at the same time. */
static void the_hosts_own_signals_still_interrupt(void **state)
{
    struct sigaction counted = {.sa_handler = count_signal}, before;
    (void)state;
    sigaction(SIGUSR1, &counted, &before);
    for (int round = 0; round < 100; round++) {
        static struct waiter waiter;
        pthread_t thread;
        waiter = (struct waiter){.call = epoll_waits_long};
        pthread_create(&thread, NULL, wait_in_call, &waiter);
        wait_until_inside(wait_for_tid(&waiter.tid));
        int first = round % 3 ? ph_ask(waiter.tid) : -1;
        for (volatile int i = 0; i < round * 100; i++)
            ;
        pthread_kill(thread, SIGUSR1);
        int second = round % 2 ? ph_ask(waiter.tid) : -1;
        assert_true(ends_within_s(thread, 10));
        assert_int_equal(waiter.result, -1);
        assert_int_equal(waiter.error, EINTR);
        for (int i = 0; i < 2; i++)
            if ((i ? second : first) >= 0)
                ph_unask(i ? second : first);
    }
    sigaction(SIGUSR1, &before, NULL);
}

static void the_host_finds_the_signal_unused_and_can_have_it(void **state)
{
    (void)state;
    struct sigaction now, wanted = {.sa_handler = count_signal};
    int number = ph_signal_acquire();
    assert_true(number > SIGRTMIN && number < SIGRTMAX);
    assert_int_equal(sigaction(number, NULL, &now), 0);
    assert_ptr_equal(now.sa_handler, SIG_DFL);
    assert_int_equal(sigaction(number, &wanted, NULL), 0);
    assert_int_equal(sigaction(number, NULL, &now), 0);
    assert_ptr_equal(now.sa_handler, count_signal);
    handled = 0;
    raise(number);
    assert_int_equal(handled, 1);
    assert_ptr_equal(signal(number, SIG_IGN), count_signal);
    raise(number);
    assert_int_equal(handled, 1);
    int other = ph_signal_acquire();
    assert_true(other > 0 && other != number);
    signal(number, SIG_DFL);
}

static void a_host_that_takes_it_by_a_raw_call_ends_the_sampling(void **state)
{
    struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        uint64_t mask;
    } preset = {SIG_IGN, 0, NULL, 0};
    (void)state;
    begin(100);
    assert_true(ph_sampling_check());
    int number = ph_signal_acquire();
    assert_int_equal(syscall(SYS_rt_sigaction, number, &preset, NULL, 8), 0);
    assert_false(ph_sampling_check());
    assert_int_equal(end().lost_signal, 1);
    begin(100);
    assert_true(ph_sampling_check());
    end();
}

static void *wait_for_every_signal(void *argument)
{
    struct waiter *waiter = argument;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    __atomic_store_n(&waiter->tid, gettid(), __ATOMIC_RELEASE);
    waiter->error = sigwait(&all, &waiter->result);
    return NULL;
}

static void a_thread_that_waits_for_every_signal_gets_none_of_ours(void **state)
{
    (void)state;
    struct waiter waiter = {.call = NULL};
    pthread_t thread;
    pthread_create(&thread, NULL, wait_for_every_signal, &waiter);
    wait_for_tid(&waiter.tid);
    for (int i = 0; i < 5; i++) {
        cut_short(waiter.tid);
        usleep(5000);
    }
    assert_int_equal(pthread_tryjoin_np(thread, NULL), EBUSY);
    pthread_kill(thread, SIGUSR1);
    pthread_join(thread, NULL);
    assert_int_equal(waiter.error, 0);
    assert_int_equal(waiter.result, SIGUSR1);
}

static void a_signalfd_for_every_signal_reads_none_of_ours(void **state)
{
    (void)state;
    sigset_t all, before;
    struct signalfd_siginfo info;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    ph_signal_acquire();
    int fd = signalfd(-1, &all, SFD_NONBLOCK | SFD_CLOEXEC);
    cut_short(gettid());
    assert_int_equal(read(fd, &info, sizeof(info)), -1);
    assert_int_equal(errno, EAGAIN);
    close(fd);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Less than the kernel needs for a signal's frame: it would end the process. */
static void a_thread_with_a_tiny_signal_stack_is_left_alone(void **state)
{
    (void)state;
    static char tiny[2048];
    struct ph_sampling_counts counts;
    stack_t stack = {.ss_sp = tiny, .ss_size = sizeof(tiny)}, none = {.ss_flags = SS_DISABLE};
    begin(1000);
    ph_sampling_arm(gettid());
    if (sigaltstack(&stack, NULL) < 0) {
        end();
        skip(); /* newer kernels refuse it themselves */
    }
    ph_sampling_arm(gettid());
    assert_int_equal(ph_ask(gettid()), -EPERM);
    burn_ms(50);
    sigaltstack(&none, NULL);
    drain(0);
    ph_sampling_end(&counts);
    assert_int_equal(counts.tiny_stacks, 1);
    int ticket = ph_ask(gettid());
    assert_true(ticket >= 0);
    ph_unask(ticket);
}

/* A stack that no registry knows, with nothing behind it. */
static void a_coroutines_stack_is_copied_to_its_end(void **state)
{
    (void)state;
    size_t bytes = 16 << 10;
    char *memory = mmap(NULL, bytes + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    assert_int_equal(mprotect(memory + bytes, 4096, PROT_NONE), 0);
    pid_t tid = 0;
    struct ph_capture capture;
    stop = false;
    int made = clone(burn_in_clone, memory + bytes,
                     CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, &tid);
    assert_true(made > 0);
    wait_for_tid(&tid);
    int ticket = ph_ask(made);
    assert_true(ticket >= 0);
    assert_int_equal(answer(ticket, &capture), 0);
    assert_int_equal(capture.stack_low + capture.stack_bytes, (uintptr_t)memory + bytes);
    ph_unask(ticket);
    stop = true;
    usleep(50000);
}

static void a_forked_child_samples_by_itself(void **state)
{
    int status = -1;
    (void)state;
    begin(1000);
    ph_sampling_arm(gettid());
    burn_ms(20);
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        burn_ms(20);
        bool was_running = ph_sampling_begin(1000, STACK_BYTES) != 0;
        ph_sampling_arm(gettid());
        burn_ms(100);
        _exit(!was_running && drain(gettid()) > 5 ? 7 : 1);
    }
    waitpid(child, &status, 0);
    end();
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
}

/* What is pending when a program is executed must not end it. */
static void an_executed_program_gets_no_signal_of_ours(void **state)
{
    int status = -1;
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        sigset_t all;
        alarm(20);
        ph_sampling_begin(1000, STACK_BYTES);
        ph_sampling_arm(gettid());
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        burn_ms(50);
        execl("/usr/bin/env", "env", "--default-signal", "--block-signal=", "sh", "-c", "exit 7", (char *)NULL);
        _exit(1);
    }
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
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
        cmocka_unit_test(a_thread_that_burns_is_captured_as_often_as_its_cpu_time_says),
        cmocka_unit_test(a_capture_holds_the_registers_and_the_stack),
        cmocka_unit_test(a_thread_that_begins_meanwhile_is_captured_and_one_that_ends_leaves_no_timer),
        cmocka_unit_test(a_full_ring_is_counted),
        cmocka_unit_test(a_thread_of_a_bare_clone_can_be_armed),
        cmocka_unit_test(only_one_samples_at_a_time),
        cmocka_unit_test(a_thread_that_has_ended_is_no_thread),
        cmocka_unit_test(a_running_thread_that_is_asked_answers),
        cmocka_unit_test(one_that_blocks_signals_does_not_answer_and_its_late_answer_harms_nobody),
        cmocka_unit_test(more_than_there_are_tickets_are_refused),
        cmocka_unit_test(calls_that_wait_go_on_for_the_time_that_is_left),
        cmocka_unit_test(an_event_loop_that_is_cut_short_has_all_signals_blocked),
        cmocka_unit_test(a_call_that_goes_on_can_be_left_by_longjmp),
        cmocka_unit_test(the_hosts_own_signals_still_interrupt),
        cmocka_unit_test(the_host_finds_the_signal_unused_and_can_have_it),
        cmocka_unit_test(a_host_that_takes_it_by_a_raw_call_ends_the_sampling),
        cmocka_unit_test(a_thread_that_waits_for_every_signal_gets_none_of_ours),
        cmocka_unit_test(a_signalfd_for_every_signal_reads_none_of_ours),
        cmocka_unit_test(a_thread_with_a_tiny_signal_stack_is_left_alone),
        cmocka_unit_test(a_coroutines_stack_is_copied_to_its_end),
        cmocka_unit_test(a_forked_child_samples_by_itself),
        cmocka_unit_test(an_executed_program_gets_no_signal_of_ours),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
