#include "conformance.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HIGH_FD 900 /* nobody uses it here */

CALL(close)
{
    return outcome(f(way == GOOD ? dup(STDIN_FILENO) : -1));
}

CALL(close_range)
{
    syscall(SYS_dup3, STDIN_FILENO, HIGH_FD, 0);
    struct outcome seen = outcome(f(HIGH_FD, way == GOOD ? HIGH_FD + 1 : HIGH_FD - 1, 0));
    seen.value += fcntl(HIGH_FD, F_GETFD) < 0 ? 100 : 0;
    discard(HIGH_FD);
    return seen;
}

CALL(closefrom)
{
    syscall(SYS_dup3, STDIN_FILENO, HIGH_FD, 0);
    f(way == GOOD ? HIGH_FD : INT32_MAX);
    struct outcome seen = {fcntl(HIGH_FD, F_GETFD) < 0, 0};
    discard(HIGH_FD);
    return seen;
}

CALL(dup2)
{
    struct outcome seen = outcome(f(way == GOOD ? STDIN_FILENO : -1, HIGH_FD));
    discard(HIGH_FD);
    return seen;
}

CALL(dup3)
{
    struct outcome seen = outcome(f(STDIN_FILENO, way == GOOD ? HIGH_FD : STDIN_FILENO, O_CLOEXEC));
    discard(HIGH_FD);
    return seen;
}

CALL(epoll_create1)
{
    int fd = f(way == GOOD ? EPOLL_CLOEXEC : -1);
    struct outcome seen = outcome(fd >= 0);
    discard(fd);
    return seen;
}

CALL(eventfd)
{
    int fd = f(7, way == GOOD ? 0 : -1);
    struct outcome seen = outcome(fd >= 0);
    discard(fd);
    return seen;
}
