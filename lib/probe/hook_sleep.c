/* hook_sleep.c - waiting for time to pass, and for semaphores, which is how worker pools wait for work. */
#include "probe/waits.h"

/* ---- Semaphores: until a point in time ---- */

WAITS_RESTARTED(true, int, sem_wait, (sem_t * semaphore), (semaphore))
WAITS_AGAIN(true, int, sem_timedwait, (sem_t *restrict semaphore, const struct timespec *restrict until),
            (semaphore, until))
WAITS_AGAIN(true, int, sem_clockwait,
            (sem_t *restrict semaphore, clockid_t clock, const struct timespec *restrict until),
            (semaphore, clock, until))

/* ---- Sleeping: the kernel tells what is left ---- */

/* @left: as for nanosleep(), not NULL. */
static int sleep_for(struct ph_wait *wait, const struct timespec *duration, struct timespec *left)
{
    int result = ph_real()->nanosleep(duration, left);
    while (ph_wait_goes_on(wait, result)) {
        struct timespec rest = *left;
        result = ph_real()->nanosleep(&rest, left);
    }
    ph_wait_end(wait);
    return result;
}

PH_EXPORT int nanosleep(const struct timespec *duration, struct timespec *left)
{
    struct timespec own;
    ph_wake_to_wait();
    struct ph_wait wait = ph_wait_begin(__builtin_frame_address(0), NULL);
    ph_wait_hold_off(&wait);
    return sleep_for(&wait, duration, left ? left : &own);
}

PH_EXPORT int usleep(useconds_t duration_us)
{
    struct timespec duration = {duration_us / 1000000, (long)(duration_us % 1000000) * 1000}, left;
    ph_wake_to_wait();
    struct ph_wait wait = ph_wait_begin(__builtin_frame_address(0), NULL);
    ph_wait_hold_off(&wait);
    return sleep_for(&wait, &duration, &left);
}

/* As in glibc (sysdeps/posix/sleep.c): whole seconds that are left. */
PH_EXPORT unsigned sleep(unsigned seconds)
{
    struct timespec duration = {seconds, 0}, left = {0, 0};
    int saved_errno = errno;
    ph_wake_to_wait();
    struct ph_wait wait = ph_wait_begin(__builtin_frame_address(0), NULL);
    ph_wait_hold_off(&wait);
    if (sleep_for(&wait, &duration, &left) < 0)
        return (unsigned)left.tv_sec;
    errno = saved_errno;
    return 0;
}

/* It returns the error, and leaves errno alone. */
PH_EXPORT int clock_nanosleep(clockid_t clock, int flags, const struct timespec *until, struct timespec *left)
{
    struct timespec own, rest;
    bool is_absolute = flags & TIMER_ABSTIME;
    if (!left && !is_absolute)
        left = &own;
    ph_wake_to_wait();
    struct ph_wait wait = ph_wait_begin(__builtin_frame_address(0), NULL);
    ph_wait_hold_off(&wait);
    int result = ph_real()->clock_nanosleep(clock, flags, until, left);
    while (result == EINTR && ph_tls.cut_short && ph_wait_was_cut_short(&wait)) {
        rest = is_absolute ? *until : *left;
        result = ph_real()->clock_nanosleep(clock, flags, &rest, left);
    }
    ph_wait_end(&wait);
    return result;
}
