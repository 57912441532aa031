/* poll, select, epoll, each of them on one descriptor. */
#include "conformance.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What glibc's headers declare only to programs that are compiled with _FORTIFY_SOURCE. */
extern int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t bytes);
extern int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask,
                       size_t bytes);

static sigset_t none;

/* ---- poll: more descriptors than there may be are refused -------------------------------------------------------- */

struct polled {
    struct pollfd fd;
    nfds_t count;
};

static struct polled to_poll(enum way way)
{
    return (struct polled){{.fd = readable(way), .events = POLLIN}, way == BAD ? UINT_MAX : 1};
}

static struct outcome polled(struct outcome seen, const struct polled *what)
{
    discard(what->fd.fd);
    /* Not POLLHUP: while a thread of ours leaves the descriptor table, its copy keeps the other end open for some microseconds. */
    return (struct outcome){seen.value * 1000 + (what->fd.revents & ~POLLHUP), seen.error};
}

CALL(poll)
{
    struct polled what = to_poll(way);
    return polled(outcome(f(&what.fd, what.count, -1)), &what);
}

CALL(__poll_chk)
{
    struct polled what = to_poll(way);
    return polled(outcome(f(&what.fd, what.count, -1, SIZE_MAX)), &what);
}

CALL(ppoll)
{
    struct polled what = to_poll(way);
    return polled(outcome(f(&what.fd, what.count, NULL, &none)), &what);
}

CALL(__ppoll_chk)
{
    struct polled what = to_poll(way);
    return polled(outcome(f(&what.fd, what.count, NULL, &none, SIZE_MAX)), &what);
}

/* ---- select ------------------------------------------------------------------------------------------------------ */

struct selected {
    fd_set set;
    int fd;
};

static struct selected to_select(enum way way)
{
    struct selected what = {.fd = readable(way)};
    if (what.fd >= 0)
        FD_SET(what.fd, &what.set);
    return what;
}

static struct outcome selected(struct outcome seen, const struct selected *what)
{
    seen.value = seen.value * 10 + (what->fd >= 0 && FD_ISSET(what->fd, &what->set));
    discard(what->fd);
    return seen;
}

CALL(select)
{
    struct selected what = to_select(way);
    return selected(outcome(f(way == BAD ? -1 : what.fd + 1, &what.set, NULL, NULL, NULL)), &what);
}

CALL(pselect)
{
    struct selected what = to_select(way);
    return selected(outcome(f(way == BAD ? -1 : what.fd + 1, &what.set, NULL, NULL, NULL, &none)), &what);
}

/* ---- epoll ------------------------------------------------------------------------------------------------------- */

struct watched {
    int epoll, fd;
    struct epoll_event event;
};

static struct watched to_watch(enum way way)
{
    struct epoll_event wanted = {.events = EPOLLIN, .data = {.u64 = 4711}};
    struct watched what = {.epoll = -1, .fd = readable(way)};
    if (way != BAD)
        what.epoll = (int)syscall(SYS_epoll_create1, EPOLL_CLOEXEC);
    epoll_ctl(what.epoll, EPOLL_CTL_ADD, what.fd, &wanted);
    errno = 0;
    return what;
}

static struct outcome watched(struct outcome seen, const struct watched *what)
{
    discard(what->epoll);
    discard(what->fd);
    return (struct outcome){seen.value * 100000 + (long)what->event.data.u64, seen.error};
}

CALL(epoll_wait)
{
    struct watched what = to_watch(way);
    return watched(outcome(f(what.epoll, &what.event, 1, -1)), &what);
}

CALL(epoll_pwait)
{
    struct watched what = to_watch(way);
    return watched(outcome(f(what.epoll, &what.event, 1, -1, &none)), &what);
}

CALL(epoll_pwait2)
{
    struct watched what = to_watch(way);
    return watched(outcome(f(what.epoll, &what.event, 1, NULL, &none)), &what);
}
