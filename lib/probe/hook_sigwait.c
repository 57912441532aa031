/*
 * hook_sigwait.c - waiting for signals. Ours is none of them: it neither ends the waiting, nor is it what was waited for.
 *
 * A thread that waits for every signal there is takes ours from the queue, too, if it blocks it: then it waits on.
 */
#include "probe/signal.h"
#include "probe/waits.h"

#define NS_PER_S INT64_C(1000000000)

static int suspend_on(const struct ph_wait *wait)
{
    sigset_t buffer;
    return ph_real()->sigsuspend(ph_wait_mask(wait, &buffer));
}

static int suspend_with(const struct ph_wait *wait, const sigset_t *mask)
{
    sigset_t buffer;
    return ph_real()->sigsuspend(ph_wait_held_mask(wait, mask, &buffer));
}

WAITS_ATOMICALLY(true, int, pause, (void), (), ph_real()->pause(), suspend_on(&wait))
WAITS_ATOMICALLY(true, int, sigsuspend, (const sigset_t *mask), (mask), suspend_with(&wait, mask),
                 suspend_with(&wait, mask))

/* What is left of @timeout; NULL: it waits for ever, or for longer than 64 bits have nanoseconds. */
static const struct timespec *left_of(const struct ph_wait *wait, const struct timespec *timeout,
                                      struct timespec *ret_left)
{
    if (!timeout || timeout->tv_sec >= INT32_MAX)
        return NULL;
    int64_t left_ns = ph_wait_left_ns(wait, timeout->tv_sec * NS_PER_S + timeout->tv_nsec);
    *ret_left = (struct timespec){left_ns / NS_PER_S, left_ns % NS_PER_S};
    return ret_left;
}

/* @timeout is read only where the kernel has read it before. */
static int take(struct ph_wait *wait, const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
    siginfo_t own;
    struct timespec left;
    info = info ? info : &own;
    int number = ph_real()->sigtimedwait(set, info, timeout);
    while ((number > 0 && ph_signal_is_ours(number) && ph_signal_is_own(info)) || ph_wait_goes_on(wait, number))
        number = ph_real()->sigtimedwait(set, info, left_of(wait, timeout, &left));
    return number;
}

PH_EXPORT int sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
    ph_wake_to_wait();
    struct ph_wait wait = ph_wait_begin(__builtin_frame_address(0), NULL);
    ph_wait_hold_off(&wait);
    int number = take(&wait, set, info, NULL);
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
        number = take(&wait, set, &info, NULL);
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
    int number = take(&wait, set, info, timeout);
    ph_wait_end(&wait);
    return number;
}
