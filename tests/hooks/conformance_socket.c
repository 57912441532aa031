#include "conformance.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

CALL(listen)
{
    int fd = way == BAD ? -1 : bound_socket();
    struct outcome seen = outcome(f(fd, 3));
    discard(fd);
    return seen;
}

/* A listener, with a client in its queue unless nobody is to come. */
static int acceptable(enum way way, int *ret_client)
{
    *ret_client = -1;
    if (way == BAD)
        return -1;
    if (way == GOOD)
        return connected_listener(ret_client);
    int fd = bound_socket();
    syscall(SYS_listen, fd, 1);
    return fd;
}

static struct outcome accepted(struct outcome seen, int listener, int client)
{
    discard(seen.value < 0 ? -1 : (int)seen.value);
    discard(client);
    discard(listener);
    return (struct outcome){seen.value >= 0, seen.error};
}

CALL(accept)
{
    int client, fd = acceptable(way, &client);
    return accepted(outcome(f(fd, NULL, NULL)), fd, client);
}

CALL(accept4)
{
    int client, fd = acceptable(way, &client);
    return accepted(outcome(f(fd, NULL, NULL, SOCK_CLOEXEC)), fd, client);
}

CALL(getsockname)
{
    struct sockaddr_un address = {.sun_family = AF_INET};
    socklen_t size = sizeof(address);
    int fd = readable(way);
    struct outcome seen = outcome(f(fd, (struct sockaddr *)&address, &size));
    seen.value += size * 100 + address.sun_family * 10;
    discard(fd);
    return seen;
}

CALL(getsockopt)
{
    int type = -1;
    socklen_t size = sizeof(type);
    int fd = readable(way);
    struct outcome seen = outcome(f(fd, SOL_SOCKET, SO_TYPE, &type, &size));
    seen.value += size * 100 + (unsigned)type * 10;
    discard(fd);
    return seen;
}
