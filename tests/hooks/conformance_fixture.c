/* What is waited for, made without a hook. */
#include "conformance.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

void discard(int fd)
{
    syscall(SYS_close, fd);
}

int bound_socket(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX}; /* no name: the kernel picks an abstract one */
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t));
    return fd;
}

int connected_listener(int *ret_client)
{
    struct sockaddr_un address;
    socklen_t size = sizeof(address);
    int fd = bound_socket();
    syscall(SYS_getsockname, fd, &address, &size);
    syscall(SYS_listen, fd, 1);
    *ret_client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connect(*ret_client, (struct sockaddr *)&address, size);
    return fd;
}

int readable(enum way way)
{
    int pair[2];
    if (way == BAD || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return -1;
    if (way == GOOD && send(pair[1], "abcde", 5, 0) == 5)
        discard(pair[1]); /* not for BLOCK: its reader must not see an end */
    return pair[0];
}

long digest(const char *text, long count)
{
    long sum = count;
    for (long i = 0; i < count; i++)
        sum = sum * 31 + text[i];
    return sum;
}

int child_that_ends(enum way way)
{
    pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid != 0)
        return pid;
    if (way == BLOCK)
        for (prctl(PR_SET_PDEATHSIG, SIGKILL);;)
            syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
    syscall(SYS_exit_group, 7);
    return -1;
}

void make_pending(int signal_number)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal_number);
    sigprocmask(SIG_BLOCK, &set, NULL);
    syscall(SYS_tgkill, getpid(), gettid(), signal_number); /* not raise(): in a vfork child it means the parent */
}
