/* Waiting for a signal. The mask is afterwards what it was. */
#include "conformance.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t handled;

static void count(int signal_number)
{
    (void)signal_number;
    handled++;
}

/* SIGUSR1, waited for: there is one unless nothing is to come. */
static sigset_t waited(enum way way, sigset_t *ret_before)
{
    sigset_t set;
    sigprocmask(SIG_BLOCK, NULL, ret_before);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    if (way == BLOCK)
        sigprocmask(SIG_BLOCK, &set, NULL);
    else
        make_pending(SIGUSR1);
    return set;
}

/* Whatever is left is thrown away; whether there was, counts. */
static struct outcome took(struct outcome seen, const sigset_t *before)
{
    sigset_t pending;
    sigpending(&pending);
    seen.value = seen.value * 10 + sigismember(&pending, SIGUSR1);
    signal(SIGUSR1, SIG_IGN);
    sigprocmask(SIG_SETMASK, before, NULL);
    signal(SIGUSR1, SIG_DFL);
    return seen;
}

CALL(sigwait)
{
    sigset_t before, set = waited(GOOD + (way == BLOCK), &before);
    int signal_number = 0;
    struct outcome seen = {f(&set, &signal_number), 0}; /* it has no arguments that are surely refused */
    seen.value = seen.value * 100 + signal_number;
    return took(seen, &before);
}

CALL(sigwaitinfo)
{
    siginfo_t info = {.si_signo = 0};
    sigset_t before, set = waited(GOOD + (way == BLOCK), &before);
    struct outcome seen = outcome(f(&set, &info));
    seen.value = seen.value * 100 + info.si_signo + info.si_code;
    return took(seen, &before);
}

CALL(sigtimedwait)
{
    static const struct timespec at_once = {0, 0}, refused = {0, -1};
    siginfo_t info = {.si_signo = 0};
    sigset_t before, set = waited(way, &before);
    struct outcome seen = outcome(f(&set, &info, way == BLOCK ? NULL : way == GOOD ? &at_once : &refused));
    seen.value = seen.value * 100 + info.si_signo;
    return took(seen, &before);
}

CALL(sigsuspend)
{
    struct sigaction counted = {.sa_handler = count};
    sigset_t before, set = waited(way == BLOCK ? BLOCK : GOOD, &before);
    sigaction(SIGUSR1, &counted, NULL);
    handled = 0;
    if (way != BLOCK)
        sigemptyset(&set);
    struct outcome seen = outcome(f(&set));
    seen.value = seen.value * 100 + handled;
    return took(seen, &before);
}

/* The signal could come before the call: so it comes again and again, and to this thread, not to whichever the kernel prefers. */
static timer_t alarm_every_ms(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM};
    struct itimerspec every_ms = {{0, 1000000}, {0, 1000000}};
    timer_t timer = NULL;
    event._sigev_un._tid = gettid();
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    timer_settime(timer, 0, &every_ms, NULL);
    return timer;
}

CALL(pause)
{
    struct sigaction counted = {.sa_handler = count}, before;
    timer_t timer = NULL;
    sigaction(SIGALRM, &counted, &before);
    handled = 0;
    if (way != BLOCK)
        timer = alarm_every_ms();
    struct outcome seen = outcome(f());
    if (way != BLOCK)
        timer_delete(timer);
    sigaction(SIGALRM, &before, NULL);
    seen.value = seen.value * 10 + (handled > 0);
    return seen;
}
