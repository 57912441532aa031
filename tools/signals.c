#include "tools/signals.h"

#include "base/clock.h"

#include <poll.h>
#include <signal.h>
#include <stddef.h>

#define SIGNALS_MAX 64

static volatile sig_atomic_t noted[SIGNALS_MAX]; /* has it come? written by the handler, cleared when taken */
static volatile sig_atomic_t has_ended;
static sigset_t watched; /* those with note() as handler */

static const int ends[] = {SIGINT, SIGTERM, SIGHUP};

static bool is_end(int signal)
{
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (ends[i] == signal)
            return true;
    return false;
}

static void note(int signal)
{
    noted[signal] = 1;
    if (is_end(signal))
        has_ended = 1;
}

void ph_signals_note(int signal)
{
    struct sigaction old, action = {.sa_handler = note}; /* no SA_RESTART: waiting calls are to return */
    if (sigaction(signal, NULL, &old) < 0 || old.sa_handler == SIG_IGN)
        return;
    sigaction(signal, &action, NULL);
    sigaddset(&watched, signal);
}

bool ph_signals_take(int signal)
{
    bool came = noted[signal];
    noted[signal] = 0;
    return came;
}

void ph_signals_end(void)
{
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        ph_signals_note(ends[i]);
}

bool ph_signals_ended(void)
{
    return has_ended;
}

static bool is_any_noted(void)
{
    for (int signal = 1; signal < SIGNALS_MAX; signal++)
        if (noted[signal])
            return true;
    return false;
}

/* Signals are blocked but for the wait itself: one that comes between the look and the wait ends the wait. */
bool ph_signals_wait(int64_t until_ns, int fd)
{
    sigset_t before;
    struct pollfd input = {.fd = fd, .events = POLLIN};
    int64_t left_ns = until_ns - ph_clock_monotonic_ns();
    if (left_ns < 0)
        left_ns = 0;
    struct timespec left = {.tv_sec = left_ns / PH_NS_PER_S, .tv_nsec = left_ns % PH_NS_PER_S};
    int ready = 0;
    sigprocmask(SIG_BLOCK, &watched, &before);
    if (!is_any_noted())
        ready = ppoll(&input, 1, &left, &before);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return ready > 0;
}
