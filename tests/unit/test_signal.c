/* The number of our signal is the host's as if we had none. */
#include "captures_fixture.h"
#include "probe/real.h"
#include "probe/signal.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cmocka.h>

static volatile sig_atomic_t handled;

static void count_signal(int number)
{
    (void)number;
    handled++;
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

/* Nor by pthread_cancel(), whose number no set of libc holds. */
static void nothing_interrupts_our_handler(void **state)
{
    (void)state;
    struct sigaction now;
    uint64_t mask, unblockable = UINT64_C(1) << (SIGKILL - 1) | UINT64_C(1) << (SIGSTOP - 1);
    assert_int_equal(ph_real()->sigaction(ph_signal_acquire(), NULL, &now), 0);
    memcpy(&mask, &now.sa_mask, sizeof(mask));
    assert_int_equal(mask | unblockable, UINT64_MAX);
}

/* Our signal, as nobody sends it to a thread that waits: it was just about to. */
static void cut_short(pid_t tid)
{
    ph_signal_send(ph_signal_acquire(), tid, 0);
}

struct waiter {
    int result, error;
    pid_t tid;
};

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
    struct waiter waiter = {0};
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

/* The first of all tests: no number was chosen yet. */
static void a_signalfd_from_before_the_first_profile_reads_none_of_ours(void **state)
{
    (void)state;
    sigset_t all, before;
    struct signalfd_siginfo info;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int fd = signalfd(-1, &all, SFD_NONBLOCK | SFD_CLOEXEC);
    cut_short(gettid());
    assert_int_equal(read(fd, &info, sizeof(info)), -1);
    assert_int_equal(errno, EAGAIN);
    pthread_kill(pthread_self(), SIGUSR1);
    assert_int_equal(read(fd, &info, sizeof(info)), sizeof(info));
    assert_int_equal(info.ssi_signo, SIGUSR1);
    close(fd);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void a_signalfd_that_names_a_number_keeps_it(void **state)
{
    (void)state;
    sigset_t set;
    int number = ph_signal_acquire();
    sigemptyset(&set);
    sigaddset(&set, number);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    int other = ph_signal_acquire();
    assert_true(other > 0 && other != number);
    close(fd);
    assert_int_equal(ph_signal_acquire(), other);
}

/* ---- Programs that are executed ---- */

/* What is pending when a program is executed must not end it. */
static void an_executed_program_gets_no_signal_of_ours(void **state)
{
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
    assert_int_equal(status_of(child), 7);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signalfd_from_before_the_first_profile_reads_none_of_ours),
        cmocka_unit_test(the_host_finds_the_signal_unused_and_can_have_it),
        cmocka_unit_test(nothing_interrupts_our_handler),
        cmocka_unit_test(a_thread_that_waits_for_every_signal_gets_none_of_ours),
        cmocka_unit_test(a_signalfd_for_every_signal_reads_none_of_ours),
        cmocka_unit_test(a_signalfd_that_names_a_number_keeps_it),
        cmocka_unit_test(an_executed_program_gets_no_signal_of_ours),
        cmocka_unit_test(a_program_executed_by_a_thread_that_was_asked_is_not_ended),
    };
    return cmocka_run_group_tests(tests, captures_setup, NULL);
}
