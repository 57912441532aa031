/* hook_poll.c - waiting until descriptors are ready. After our signal they go on as the variant with a mask: atomically. */
#include "probe/waits.h"

#define NS_PER_MS 1000000
#define NS_PER_S  INT64_C(1000000000)

/* Only where glibc reads it, too: elsewhere a bad pointer is the kernel's to refuse. */
static bool is_zero(const struct timespec *timeout)
{
    return timeout && timeout->tv_sec == 0 && timeout->tv_nsec == 0;
}

static int64_t from_ms(int timeout_ms)
{
    return timeout_ms < 0 ? -1 : (int64_t)timeout_ms * NS_PER_MS;
}

static int64_t from_timespec(const struct timespec *timeout)
{
    if (!timeout)
        return -1;
    return timeout->tv_sec > INT64_MAX / NS_PER_S - 1 ? INT64_MAX : timeout->tv_sec * NS_PER_S + timeout->tv_nsec;
}

/* What is left of @timeout_ns, -1 being for ever. */
static const struct timespec *left_of(const struct ph_wait *wait, int64_t timeout_ns, struct timespec *ret_left)
{
    if (timeout_ns < 0)
        return NULL;
    int64_t left_ns = ph_wait_left_ns(wait, timeout_ns);
    *ret_left = (struct timespec){left_ns / NS_PER_S, left_ns % NS_PER_S};
    return ret_left;
}

static int left_ms(const struct ph_wait *wait, int timeout_ms)
{
    return timeout_ms < 0
               ? -1
               : (int)((ph_wait_left_ns(wait, (int64_t)timeout_ms * NS_PER_MS) + NS_PER_MS - 1) / NS_PER_MS);
}

static const sigset_t *mask_of(const struct ph_wait *wait, const sigset_t *given, sigset_t *buffer)
{
    return given ? ph_wait_held_mask(wait, given, buffer) : ph_wait_mask(wait, buffer);
}

static int poll_on(const struct ph_wait *wait, struct pollfd *fds, nfds_t count, int64_t timeout_ns,
                   const sigset_t *mask)
{
    struct timespec left;
    sigset_t buffer;
    return ph_real()->ppoll(fds, count, left_of(wait, timeout_ns, &left), mask_of(wait, mask, &buffer));
}

static int epoll_on(const struct ph_wait *wait, int epoll, struct epoll_event *events, int capacity, int timeout_ms,
                    const sigset_t *mask)
{
    sigset_t buffer;
    return ph_real()->epoll_pwait(epoll, events, capacity, left_ms(wait, timeout_ms), mask_of(wait, mask, &buffer));
}

static int epoll_on2(const struct ph_wait *wait, int epoll, struct epoll_event *events, int capacity,
                     const struct timespec *timeout, const sigset_t *mask)
{
    struct timespec left;
    sigset_t buffer;
    return ph_real()->epoll_pwait2(epoll, events, capacity, left_of(wait, from_timespec(timeout), &left),
                                   mask_of(wait, mask, &buffer));
}

/* Linux leaves in @timeout what is left of it, also when it was cut short, and the sets as they were. */
static int select_on(const struct ph_wait *wait, int count, fd_set *readable, fd_set *writable, fd_set *exceptional,
                     struct timeval *timeout)
{
    sigset_t buffer;
    struct timespec left = {0, 0};
    struct ph_wait again = {.since_ns = ph_wait_clock_ns()};
    if (timeout)
        left = (struct timespec){timeout->tv_sec, timeout->tv_usec * 1000};
    int result = ph_real()->pselect(count, readable, writable, exceptional, timeout ? &left : NULL,
                                    ph_wait_mask(wait, &buffer));
    if (timeout) {
        int64_t left_ns = result == 0 ? 0 : ph_wait_left_ns(&again, from_timespec(&left));
        *timeout = (struct timeval){left_ns / NS_PER_S, left_ns % NS_PER_S / 1000};
    }
    return result;
}

static int pselect_on(const struct ph_wait *wait, int count, fd_set *readable, fd_set *writable,
                      fd_set *exceptional, const struct timespec *timeout, const sigset_t *mask)
{
    struct timespec left;
    sigset_t buffer;
    return ph_real()->pselect(count, readable, writable, exceptional, left_of(wait, from_timespec(timeout), &left),
                              mask_of(wait, mask, &buffer));
}

/* What _FORTIFY_SOURCE makes of them: Debian's packages call these. */
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms, size_t capacity);
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask,
                size_t capacity);

WAITS_ATOMICALLY(timeout_ms != 0, int, poll, (struct pollfd * fds, nfds_t count, int timeout_ms),
                 (fds, count, timeout_ms), ph_real()->poll(fds, count, timeout_ms),
                 poll_on(&wait, fds, count, from_ms(timeout_ms), NULL))
WAITS_ATOMICALLY(!is_zero(timeout), int, ppoll,
                 (struct pollfd * fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask),
                 (fds, count, timeout, mask),
                 ph_real()->ppoll(fds, count, timeout, ph_wait_held_mask(&wait, mask, &(sigset_t){{0}})),
                 poll_on(&wait, fds, count, from_timespec(timeout), mask))
WAITS_ATOMICALLY(timeout_ms != 0, int, __poll_chk,
                 (struct pollfd * fds, nfds_t count, int timeout_ms, size_t capacity),
                 (fds, count, timeout_ms, capacity), ph_real()->__poll_chk(fds, count, timeout_ms, capacity),
                 poll_on(&wait, fds, count, from_ms(timeout_ms), NULL))
WAITS_ATOMICALLY(!is_zero(timeout), int, __ppoll_chk,
                 (struct pollfd * fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask,
                  size_t capacity),
                 (fds, count, timeout, mask, capacity),
                 ph_real()->__ppoll_chk(fds, count, timeout, ph_wait_held_mask(&wait, mask, &(sigset_t){{0}}),
                                        capacity),
                 poll_on(&wait, fds, count, from_timespec(timeout), mask))

WAITS_ATOMICALLY(timeout_ms != 0, int, epoll_wait,
                 (int epoll, struct epoll_event *events, int capacity, int timeout_ms),
                 (epoll, events, capacity, timeout_ms), ph_real()->epoll_wait(epoll, events, capacity, timeout_ms),
                 epoll_on(&wait, epoll, events, capacity, timeout_ms, NULL))
WAITS_ATOMICALLY(timeout_ms != 0, int, epoll_pwait,
                 (int epoll, struct epoll_event *events, int capacity, int timeout_ms, const sigset_t *mask),
                 (epoll, events, capacity, timeout_ms, mask),
                 ph_real()->epoll_pwait(epoll, events, capacity, timeout_ms,
                                        ph_wait_held_mask(&wait, mask, &(sigset_t){{0}})),
                 epoll_on(&wait, epoll, events, capacity, timeout_ms, mask))
WAITS_ATOMICALLY(true, int, epoll_pwait2,
                 (int epoll, struct epoll_event *events, int capacity, const struct timespec *timeout,
                  const sigset_t *mask),
                 (epoll, events, capacity, timeout, mask),
                 ph_real()->epoll_pwait2(epoll, events, capacity, timeout,
                                         ph_wait_held_mask(&wait, mask, &(sigset_t){{0}})),
                 epoll_on2(&wait, epoll, events, capacity, timeout, mask))

WAITS_ATOMICALLY(!timeout || timeout->tv_sec || timeout->tv_usec, int, select,
                 (int count, fd_set *readable, fd_set *writable, fd_set *exceptional, struct timeval *timeout),
                 (count, readable, writable, exceptional, timeout),
                 ph_real()->select(count, readable, writable, exceptional, timeout),
                 select_on(&wait, count, readable, writable, exceptional, timeout))
WAITS_ATOMICALLY(!is_zero(timeout), int, pselect,
                 (int count, fd_set *readable, fd_set *writable, fd_set *exceptional,
                  const struct timespec *timeout, const sigset_t *mask),
                 (count, readable, writable, exceptional, timeout, mask),
                 ph_real()->pselect(count, readable, writable, exceptional, timeout,
                                    ph_wait_held_mask(&wait, mask, &(sigset_t){{0}})),
                 pselect_on(&wait, count, readable, writable, exceptional, timeout, mask))
