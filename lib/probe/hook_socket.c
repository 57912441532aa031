/*
 * hook_socket.c - sockets: a process that listens, or was handed a socket that does, is a server.
 *
 * Handed over by systemd, by inetd, or by the program's former self (nginx: USR2, php-fpm): who does so never calls listen().
 * Workers accept; but their parent, in which the family has to begin, only asks what it was given.
 */
#include "probe/activate.h"
#include "probe/export.h"
#include "probe/guard.h"
#include "probe/own_fd.h"
#include "probe/real.h"
#include "probe/wait.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

PH_EXPORT int listen(int fd, int backlog)
{
    int result = ph_real()->listen(fd, backlog);
    struct ph_guard guard;
    if (result == 0)
        ph_wake_to_wait(); /* who listens will serve */
    if (result == 0 && ph_guard_enter(&guard)) {
        ph_activate_server(&guard, fd);
        ph_guard_leave(&guard);
    }
    return result;
}

static int accepted(int listener, int fd)
{
    struct ph_guard guard;
    if (fd < 0)
        return fd;
    if (ph_on_own_thread())
        return ph_own_fd_take(fd);
    if (ph_guard_enter(&guard)) {
        ph_activate_server(&guard, listener);
        ph_guard_leave(&guard);
    }
    return fd;
}

static bool listens(int fd)
{
    int answer = 0;
    socklen_t size = sizeof(answer);
    return ph_real()->getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &answer, &size) == 0 && answer;
}

/* A client asks it of each connection: one more system call, while the program is none of ours yet. */
PH_EXPORT int getsockname(int fd, struct sockaddr *address, socklen_t *address_bytes)
{
    int result = ph_real()->getsockname(fd, address, address_bytes);
    struct ph_guard guard;
    if (result == 0 && ph_is_idle() && ph_guard_enter(&guard)) {
        if (listens(fd))
            ph_activate_server(&guard, fd);
        ph_guard_leave(&guard);
    }
    return result;
}

static bool asks_for_listening(int level, int option)
{
    return (level == SOL_SOCKET && option == SO_ACCEPTCONN) || (level == IPPROTO_TCP && option == TCP_INFO);
}

PH_EXPORT int getsockopt(int fd, int level, int option, void *value, socklen_t *value_bytes)
{
    int result = ph_real()->getsockopt(fd, level, option, value, value_bytes);
    struct ph_guard guard;
    if (result == 0 && ph_is_idle() && asks_for_listening(level, option) && ph_guard_enter(&guard)) {
        if (listens(fd))
            ph_activate_server(&guard, fd);
        ph_guard_leave(&guard);
    }
    return result;
}

PH_EXPORT int accept(int fd, struct sockaddr *address, socklen_t *address_bytes)
{
    ph_wake_to_wait();
    struct ph_wait wait = ph_wait_begin(__builtin_frame_address(0), NULL);
    int result = ph_real()->accept(fd, address, address_bytes);
    while (ph_wait_goes_on(&wait, result) && ph_wait_never_restarts(fd))
        result = ph_real()->accept(fd, address, address_bytes);
    ph_wait_end(&wait);
    return accepted(fd, result);
}

PH_EXPORT int accept4(int fd, struct sockaddr *address, socklen_t *address_bytes, int flags)
{
    ph_wake_to_wait();
    struct ph_wait wait = ph_wait_begin(__builtin_frame_address(0), NULL);
    int result = ph_real()->accept4(fd, address, address_bytes, flags);
    while (ph_wait_goes_on(&wait, result) && ph_wait_never_restarts(fd))
        result = ph_real()->accept4(fd, address, address_bytes, flags);
    ph_wait_end(&wait);
    return accepted(fd, result);
}
