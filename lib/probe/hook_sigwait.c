/*
 * hook_sigwait.c - waiting for signals. Ours is none of them: it neither ends the waiting, nor is it what was waited for.
 *
 * A thread that waits for every signal there is takes ours from the queue, too, if it blocks it: then it waits on.
 */
#include "probe/signal.h"
#include "probe/waits.h"

static int suspend_on(const struct ph_wait *wait, const sigset_t *mask)
{
    sigset_t buffer;
    return ph_real()->sigsuspend(mask ? ph_wait_held_mask(wait, mask, &buffer) : ph_wait_mask(wait, &buffer));
}

WAITS_ATOMICALLY(true, int, pause, (void), (), ph_real()->pause(), suspend_on(&wait, NULL))
WAITS_ATOMICALLY(true, int, sigsuspend, (const sigset_t *mask), (mask), suspend_on(&wait, mask),
                 suspend_on(&wait, mask))

/* @timeout_ns: -1: for ever. */
static int take(struct ph_wait *wait, const sigset_t *set, siginfo_t *info, int64_t timeout_ns)
{
    siginfo_t own;
    info = info ? info : &own;
    for (;;) {
        int64_t left_ns = timeout_ns < 0 ? 0 : ph_wait_left_ns(wait, timeout_ns);
        struct timespec left = {left_ns / 1000000000, left_ns % 1000000000};
        int number = timeout_ns < 0 ? ph_real()->sigwaitinfo(set, info) : ph_real()->sigtimedwait(set, info, &left);
        bool is_ours = number > 0 && ph_signal_is_ours(number) && ph_signal_is_own(info);
        if (!is_ours && !ph_wait_goes_on(wait, number))
            return number;
    }
}

PH_EXPORT int sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
    ph_wake_to_wait();
    struct ph_wait wait = ph_wait_begin(__builtin_frame_address(0), NULL);
    ph_wait_hold_off(&wait);
    int number = take(&wait, set, info, -1);
    ph_wait_end(&wait);
    return number;
}

/* As glibc does it: with sigtimedwait(), on and on after EINTR. */
PH_EXPORT int sigwait(const sigset_t *set, int *ret_number)
{
    siginfo_t info;
    int number, saved_errno = errno;
    ph_wake_to_wait();
    struct ph_wait wait = ph_wait_begin(__builtin_frame_address(0), NULL);
    ph_wait_hold_off(&wait);
    do {
        number = take(&wait, set, &info, -1);
    } while (number < 0 && errno == EINTR);
    ph_wait_end(&wait);
    int result = number < 0 ? errno : 0;
    errno = saved_errno;
    if (number >= 0)
        *ret_number = number;
    return result;
}

PH_EXPORT int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
    ph_wake_to_wait();
    struct ph_wait wait = ph_wait_begin(__builtin_frame_address(0), NULL);
    ph_wait_hold_off(&wait);
    bool is_bad = timeout && (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= 1000000000);
    bool is_long = timeout && timeout->tv_sec >= INT32_MAX;
    int number =
        is_bad ? ph_real()->sigtimedwait(set, info, timeout)
               : take(&wait, set, info, !timeout || is_long ? -1 : timeout->tv_sec * 1000000000 + timeout->tv_nsec);
    ph_wait_end(&wait);
    return number;
}
