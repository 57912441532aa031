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
#include <sys/syscall.h>
#include <sys/wait.h>
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
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
