/* Calls that our signal cuts short go on, for the time that is left. */
#include "captures_fixture.h"

#include "base/clock.h"
#include "probe/real.h"
#include "probe/signal.h"
#include "probe/wait.h"

#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <ucontext.h>
#include <unistd.h>

#include <cmocka.h>

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
    int times; /* that it is cut short, at most */
} calls[] = {
    {"epoll_wait", epoll_waits, 200},
    {"poll", poll_waits, 200},
    {"ppoll", ppoll_waits, 200},
    {"select", select_waits, 200},
    {"pselect", pselect_waits, 200},
    {"nanosleep", nanosleep_waits, 200},
    {"clock_nanosleep", clock_nanosleep_waits, 200},
    {"usleep", usleep_waits, 200},
    {"sem_timedwait", sem_timedwait_waits, 200},
    {"sigtimedwait", sigtimedwait_waits, 200},
    {"recv", recv_with_timeout_waits, 10}, /* it begins its time again */
};

/* Our signal, as nobody sends it to a thread that waits: it was just about to. */
static void cut_short(pid_t tid)
{
    ph_signal_send(ph_signal_acquire(), tid, 0);
}

/* Until the thread ends. False if it does only when nobody disturbs it any more, or never. */
static bool ends_while_disturbed(pthread_t thread, pid_t tid, int times)
{
    for (int i = 0; i < times; i++) {
        cut_short(tid);
        usleep(20000);
        if (pthread_tryjoin_np(thread, NULL) == 0)
            return true;
    }
    pthread_join(thread, NULL);
    return times < WAIT_MS / 20;
}

static void calls_that_wait_go_on_for_the_time_that_is_left(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        struct waiter waiter = {.call = calls[i].call};
        pthread_t thread = thread_of_host(wait_in_call, &waiter);
        bool ends = ends_while_disturbed(thread, wait_for_tid(&waiter.tid), calls[i].times);
        int64_t took_ms = waiter.took_ns / PH_NS_PER_MS;
        assert_memory_equal(&waiter.mask_after, &waiter.mask_before, sizeof(uint64_t));
        if (!ends || waiter.result != 0 || took_ms < WAIT_MS - 1)
            fail_msg("%s: %d (%s) after %d ms", calls[i].name, waiter.result, strerror(waiter.error), (int)took_ms);
    }
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

/* A dump of all threads while a profile is taken: the handler of the one finds the other waiting. */
static void two_signals_of_ours_at_once_do_not_end_a_call(void **state)
{
    (void)state;
    sigset_t ours, before;
    int number = ph_signal_acquire();
    ucontext_t interrupted = cut_short_at(behind_syscall((void *)ph_real()->poll), 0);
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
    wait_until_blocked(wait_for_tid(&jumper.tid));
    for (int i = 0; i < 3; i++) {
        cut_short(jumper.tid);
        wait_until_blocked(jumper.tid);
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

#define DESCRIPTORS 400

/* What the kernel did in the call is told at its end, as of the call. */
static void time_in_a_call_that_waits_is_that_calls(void **state)
{
    (void)state;
    struct pollfd fds[DESCRIPTORS];
    struct ph_capture capture;
    int in_call = 0;
    int pair[2];
    assert_int_equal(pipe(pair), 0);
    for (size_t i = 0; i < DESCRIPTORS; i++)
        fds[i] = (struct pollfd){.fd = pair[0], .events = POLLIN};
    sample_begin(1000);
    ph_sampling_arm(gettid());
    for (int i = 0; i < 3000 && in_call == 0; i++) {
        poll(fds, DESCRIPTORS, 1);
        while (ph_sampling_take(&capture)) {
            uintptr_t back = 0;
            memcpy(&back, capture.stack, sizeof(back));
            in_call += capture.registers[16] == (uintptr_t)ph_real()->poll &&
                       back - (uintptr_t)time_in_a_call_that_waits_is_that_calls < 4096;
            ph_sampling_give_back(&capture);
        }
    }
    sample_end();
    close(pair[0]);
    close(pair[1]);
    assert_true(in_call > 0);
}

/* ---- Forks ---- */

/* Whose lock is to be kept for a while, and whether that is so. Atomic. */
static pid_t keeper;
static bool is_kept, is_to_go_on;

int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);

int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    if (__atomic_load_n(&keeper, __ATOMIC_ACQUIRE) == gettid()) {
        __atomic_store_n(&is_kept, true, __ATOMIC_RELEASE);
        while (!__atomic_load_n(&is_to_go_on, __ATOMIC_ACQUIRE))
            usleep(1000);
    }
    return __real_pthread_mutex_unlock(mutex);
}

static void *keep_lock(void *argument)
{
    ph_wait_hold(ph_signal_acquire());
    __atomic_store_n(&keeper, gettid(), __ATOMIC_RELEASE);
    ph_wait_release();
    __atomic_store_n(&keeper, 0, __ATOMIC_RELEASE);
    return argument;
}

/* Just as the last one of the parent's threads stops to hold the signal off. */
static void a_forked_child_can_hold_the_signal_off(void **state)
{
    (void)state;
    pthread_t thread;
    pthread_create(&thread, NULL, keep_lock, NULL);
    for (int i = 0; i < 20000 && !__atomic_load_n(&is_kept, __ATOMIC_ACQUIRE); i++)
        usleep(1000);
    assert_true(is_kept);
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        ph_wait_hold(ph_signal_acquire());
        ph_wait_release();
        _exit(7);
    }
    int status = status_of(child);
    __atomic_store_n(&is_to_go_on, true, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    assert_int_equal(status, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_that_wait_go_on_for_the_time_that_is_left),
        cmocka_unit_test(an_event_loop_that_is_cut_short_has_all_signals_blocked),
        cmocka_unit_test(two_signals_of_ours_at_once_do_not_end_a_call),
        cmocka_unit_test(a_call_that_goes_on_can_be_left_by_longjmp),
        cmocka_unit_test(time_in_a_call_that_waits_is_that_calls),
        cmocka_unit_test(a_forked_child_can_hold_the_signal_off),
    };
    return cmocka_run_group_tests(tests, captures_setup, NULL);
}
