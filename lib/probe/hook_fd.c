/*
 * hook_fd.c - descriptors: ours survive what the host closes or replaces.
 *
 * close() must stay async-signal-safe and cheap: one look into a bitmap. A host that closes one of ours is told what it
 * would be told if it were not there: EBADF.
 */
#include "probe/activate.h"
#include "probe/calm.h"
#include "probe/counters.h"
#include "probe/export.h"
#include "probe/guard.h"
#include "probe/heir.h"
#include "probe/own_fd.h"
#include "probe/real.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* In this process's own table: that of our threads, where they have one, never meets the host. */
static bool is_ours(int fd)
{
    return ph_own_fd_has(fd) || (ph_heir_is(fd) && !ph_on_own_thread());
}

/* Our first thread takes its descriptors with it when it leaves the host's table (apart.h), 0.1 ms after listen(): what it says
 * is for the stderr that the host had then. php-fpm replaces that at once. No handler may leave by siglongjmp() meanwhile. */
static void before_replacing(int fd)
{
    struct ph_guard guard;
    if (fd != STDERR_FILENO || __atomic_load_n(&ph_activation_state, __ATOMIC_ACQUIRE) != PH_STARTING ||
        ph_on_own_thread() || ph_activation_is_foreign())
        return;
    struct ph_calm calm = ph_calm_begin();
    if (ph_guard_enter(&guard)) {
        ph_activation_wait_apart(&guard);
        ph_guard_leave(&guard);
    }
    ph_calm_end(&calm);
}

PH_EXPORT int close(int fd)
{
    before_replacing(fd);
    if (ph_own_fd_has(fd) && ph_on_own_thread()) {
        ph_own_fd_drop(fd);
    } else if (is_ours(fd)) {
        PH_COUNT(descriptors_defended);
        errno = EBADF;
        return -1;
    }
    return ph_real()->close(fd);
}

/* The first of ours at @from or above; the heir counts if it is where we think. */
static int next_island(int from)
{
    int island = ph_own_fd_next(from), heir = ph_heir_fd();
    bool heir_first = heir >= from && (island == PH_OWN_FD_NONE || heir < island);
    return heir_first && ph_heir_is(heir) ? heir : island;
}

/* Ours are islands: the range is closed around them. */
PH_EXPORT int close_range(unsigned first, unsigned last, int flags)
{
    /* With CLOSE_RANGE_CLOEXEC nothing is closed, and ours are CLOEXEC already. */
    bool whole = first > last || first > INT_MAX || (flags & CLOSE_RANGE_CLOEXEC) || ph_on_own_thread();
    int island = whole ? PH_OWN_FD_NONE : next_island((int)first);
    for (; island != PH_OWN_FD_NONE && (unsigned)island <= last; island = next_island(island + 1)) {
        PH_COUNT(descriptors_defended);
        if ((unsigned)island > first && ph_real()->close_range(first, (unsigned)island - 1, flags) < 0)
            return -1;
        if ((unsigned)island == last)
            return 0;
        first = (unsigned)island + 1;
    }
    return ph_real()->close_range(first, last, flags);
}

/* close_range() may be forbidden where this is called. */
static void close_below(int first, int end)
{
    if (first < end && ph_real()->close_range((unsigned)first, (unsigned)end - 1, 0) < 0)
        for (int fd = first; fd < end; fd++)
            ph_real()->close(fd);
}

PH_EXPORT void closefrom(int first)
{
    int island = next_island(first);
    for (; island != PH_OWN_FD_NONE; island = next_island(island + 1)) {
        PH_COUNT(descriptors_defended);
        close_below(first < 0 ? 0 : first, island);
        first = island + 1;
    }
    ph_real()->closefrom(first);
}

/* The heir makes room. Other numbers of ours are in use by our threads and cannot: EBUSY is what dup2(2) says when it
 * meets another thread that is about to open the number. */
static bool is_taken(int from, int to)
{
    if (from == to || ph_on_own_thread())
        return false;
    bool is_heir = ph_heir_is(to);
    if (!is_heir && !ph_own_fd_has(to))
        return false;
    PH_COUNT(descriptors_defended);
    /* With no number left, the host comes first. A vfork child has a table of its own, but would move its parent's. */
    if (is_heir && !ph_activation_is_foreign() && fcntl(from, F_GETFD) >= 0)
        ph_heir_move();
    if (is_heir)
        return false;
    errno = EBUSY;
    return true;
}

PH_EXPORT int dup2(int from, int to)
{
    before_replacing(to);
    return is_taken(from, to) ? -1 : ph_real()->dup2(from, to);
}

PH_EXPORT int dup3(int from, int to, int flags)
{
    before_replacing(to);
    return is_taken(from, to) ? -1 : ph_real()->dup3(from, to, flags);
}

/* What libraries in the agent make on our threads becomes ours at once. */
static int made(int fd)
{
    return fd >= 0 && ph_on_own_thread() ? ph_own_fd_take(fd) : fd;
}

PH_EXPORT int epoll_create1(int flags)
{
    return made(ph_real()->epoll_create1(flags));
}

PH_EXPORT int eventfd(unsigned count, int flags)
{
    return made(ph_real()->eventfd(count, flags));
}
