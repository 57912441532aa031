/* The host's own signals end its calls, however many of ours come at the same time. */
#include "captures_fixture.h"

#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

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
    for (int i = 0; i < 15000 && __atomic_load_n(count, __ATOMIC_ACQUIRE) < wanted; i++)
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
        sample_begin(1000);
        pthread_create(&thread, NULL, be_interrupted, &interrupted);
        assert_int_equal(ph_sampling_arm(wait_for_tid(&interrupted.tid)), 0);
        for (int round = 0; round < ROUNDS; round++) {
            wait_until_blocked(interrupted.tid);
            pthread_kill(thread, SIGUSR1);
            if (!reaches(&interrupted.done_count, round + 1))
                fail_msg("%s goes on although a signal of the host has come", calls[i].name);
        }
        pthread_join(thread, NULL);
        assert_true(drain(interrupted.tid) > 0);
        sample_end();
        if (interrupted.eintr_count != ROUNDS)
            fail_msg("%s: %d times EINTR", calls[i].name, interrupted.eintr_count);
    }
    sigaction(SIGUSR1, &before, NULL);
}

/* ---- With ours at the same time ---- */

struct waiter {
    pid_t tid;
    int result, error;
};

static void ignore(int number)
{
    (void)number;
}

static void *wait_once(void *argument)
{
    struct waiter *waiter = argument;
    __atomic_store_n(&waiter->tid, gettid(), __ATOMIC_RELEASE);
    waiter->result = in_epoll_wait();
    waiter->error = errno;
    return NULL;
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
    struct sigaction counted = {.sa_handler = ignore}, before;
    (void)state;
    sigaction(SIGUSR1, &counted, &before);
    for (int round = 0; round < 100; round++) {
        static struct waiter waiter;
        pthread_t thread;
        waiter = (struct waiter){.tid = 0};
        pthread_create(&thread, NULL, wait_once, &waiter);
        wait_until_blocked(wait_for_tid(&waiter.tid));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_that_a_handler_has_interrupted_does_not_go_on),
        cmocka_unit_test(the_hosts_own_signals_still_interrupt),
    };
    return cmocka_run_group_tests(tests, captures_setup, NULL);
}
