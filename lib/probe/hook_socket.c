/* hook_socket.c - sockets: a process that listens, or accepts on a socket it was handed, is a server. */
#include "probe/activate.h"
#include "probe/export.h"
#include "probe/guard.h"
#include "probe/own_fd.h"
#include "probe/real.h"

#include <sys/socket.h>

PH_EXPORT int listen(int fd, int backlog)
{
    int result = ph_real()->listen(fd, backlog);
    struct ph_guard guard;
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

PH_EXPORT int accept(int fd, struct sockaddr *address, socklen_t *address_bytes)
{
    return accepted(fd, ph_real()->accept(fd, address, address_bytes));
}

PH_EXPORT int accept4(int fd, struct sockaddr *address, socklen_t *address_bytes, int flags)
{
    return accepted(fd, ph_real()->accept4(fd, address, address_bytes, flags));
}
