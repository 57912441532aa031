#include "base/clock.h"
#include "server/state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPTED_AT_ONCE_MAX 64
#define PAUSE_NS             (200 * PH_NS_PER_MS)

/*
 * One non-blocking send: a new socket has room for it, and a client that is refused must cost nothing. What the client
 * has sent already is read, as closing a socket with unread input resets the connection, and the client may then
 * lose the answer.
 */
static void refuse(int fd, const char *text)
{
    char message[512], input[4096];
    int size = snprintf(message, sizeof(message),
                        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; "
                        "charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n"
                        "X-Go-Pprof: 1\r\nCache-Control: no-store\r\nRetry-After: 1\r\nConnection: close\r\n"
                        "Content-Length: %zu\r\n\r\n%s\n",
                        strlen(text) + 1, text);
    ssize_t sent = send(fd, message, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0 && shutdown(fd, SHUT_WR) == 0)
        while (recv(fd, input, sizeof(input), MSG_DONTWAIT) == (ssize_t)sizeof(input))
            ;
    close(fd);
}

static void take(struct ph_server *server, int fd, const struct sockaddr_storage *peer, socklen_t peer_bytes)
{
    if (ph_http_add(&server->http, fd, (const struct sockaddr *)peer, peer_bytes) < 0)
        refuse(fd, "too many connections to Porthole in this process; try again");
}

/* Give up the spare descriptor, tell one client, take the spare back: so that clients get an answer and the backlog
 * drains. False if that did not work: other threads of the host can be quicker. */
static bool refuse_with_spare(struct ph_server *server, const struct ph_listener *listener)
{
    if (server->spare_fd < 0)
        return false;
    close(server->spare_fd);
    int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        refuse(fd, "this process has no file descriptor left; try again");
    server->spare_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fd >= 0;
}

/* True if the next connection can be tried. */
static bool go_on_after(struct ph_server *server, struct ph_listener *listener, int accept_error)
{
    switch (accept_error) {
    case EAGAIN:
        return false;
    case EMFILE:
    case ENFILE:
        if (refuse_with_spare(server, listener))
            return true;
        break;
    case ENOBUFS:
    case ENOMEM:
        break;
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
        /* Closed or replaced behind our back (a raw system call of the host): it would be readable for ever. */
        listener->fd = -1;
        return false;
    default:
        /* That connection failed before we took it (accept(2), "Error handling"): the next may be fine. */
        return true;
    }
    server->accept_after_ns = ph_clock_monotonic_ns() + PAUSE_NS;
    return false;
}

void ph_accept(struct ph_server *server, struct ph_listener *listener)
{
    if (server->spare_fd < 0)
        server->spare_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    for (unsigned i = 0; i < ACCEPTED_AT_ONCE_MAX; i++) {
        struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
        socklen_t peer_bytes = sizeof(peer);
        int fd = accept4(listener->fd, (struct sockaddr *)&peer, &peer_bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            take(server, fd, &peer, peer_bytes);
        else if (!go_on_after(server, listener, errno))
            return;
    }
}
