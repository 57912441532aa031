#include "family/beacon.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define WAITING_MAX  4096 /* the kernel cuts it to somaxconn */
#define ANSWERED_MAX 256  /* at once */

static socklen_t name_address(const char *name, struct sockaddr_un *ret_address)
{
    size_t length = strnlen(name, PH_BEACON_NAME_MAX);
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(ret_address->sun_path + 1, name, length);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int open_socket(const struct ph_probe *probe)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : probe->own_fd(fd);
}

static int open_pipe(const struct ph_probe *probe, int ret_ends[2])
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    ret_ends[0] = probe->own_fd(ends[0]);
    ret_ends[1] = probe->own_fd(ends[1]);
    return 0;
}

int ph_beacon_light(const struct ph_probe *probe, const char *name, struct ph_beacon *ret_beacon)
{
    struct ph_beacon beacon = PH_BEACON_OUT;
    struct sockaddr_un address;
    socklen_t size_bytes = name_address(name, &address);
    beacon.fd = open_socket(probe);
    int status = beacon.fd < 0 ? beacon.fd : 0;
    if (status == 0 && bind(beacon.fd, (struct sockaddr *)&address, size_bytes) < 0)
        status = -errno;
    if (status == 0) /* before anybody can connect */
        status = open_pipe(probe, beacon.life_ends);
    if (status == 0 && listen(beacon.fd, WAITING_MAX) < 0)
        status = -errno;
    if (status < 0) {
        ph_beacon_put_out(&beacon);
        return status;
    }
    *ret_beacon = beacon;
    return 0;
}

static void send_fd(int to, int fd)
{
    char nothing = 0, control[CMSG_SPACE(sizeof(fd))] = {0};
    struct iovec byte = {&nothing, 1};
    struct msghdr message = {
        .msg_iov = &byte, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(fd));
    memcpy(CMSG_DATA(rights), &fd, sizeof(fd));
    /* Who gets nothing, as too many descriptors are on their way, takes the closed connection for the end and comes again. */
    sendmsg(to, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void ph_beacon_answer(struct ph_beacon *beacon)
{
    for (int i = 0; i < ANSWERED_MAX; i++) {
        int fd = accept4(beacon->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            beacon->is_deaf = errno != EAGAIN && errno != EINTR && errno != ECONNABORTED;
            return;
        }
        send_fd(fd, beacon->life_ends[0]);
        close(fd);
    }
}

/* The name first: who sees the pipe hang up finds it free. */
void ph_beacon_put_out(struct ph_beacon *beacon)
{
    close_fd(&beacon->fd);
    close_fd(&beacon->life_ends[0]);
    close_fd(&beacon->life_ends[1]);
}

int ph_beacon_watch(const struct ph_probe *probe, const char *name, struct ucred *ret_holder)
{
    struct sockaddr_un address;
    socklen_t size_bytes = name_address(name, &address), holder_bytes = sizeof(*ret_holder);
    int fd = open_socket(probe);
    if (fd < 0)
        return fd;
    if (connect(fd, (struct sockaddr *)&address, size_bytes) == 0 &&
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret_holder, &holder_bytes) == 0)
        return fd;
    int status = -errno;
    close(fd);
    return status;
}

/* -EAGAIN if there is nothing; -ENOTSOCK for the pipe itself; -ECONNRESET for the end. */
static int receive_fd(int from)
{
    char nothing, control[CMSG_SPACE(sizeof(int))];
    struct iovec byte = {&nothing, 1};
    struct msghdr message = {
        .msg_iov = &byte, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    int fd;
    if (recvmsg(from, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
        return -errno;
    const struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    if (!rights || rights->cmsg_type != SCM_RIGHTS)
        return -ECONNRESET;
    memcpy(&fd, CMSG_DATA(rights), sizeof(fd));
    return fd;
}

int ph_beacon_settle(const struct ph_probe *probe, int fd)
{
    struct pollfd slot = {.fd = fd, .events = POLLIN};
    int received = receive_fd(fd);
    if (received == -ENOTSOCK && poll(&slot, 1, 0) == 0)
        return fd;
    if (received == -EAGAIN)
        return fd;
    close(fd);
    return received < 0 ? -ECONNRESET : probe->own_fd(received);
}
