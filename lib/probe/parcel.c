#include "probe/parcel.h"

#include "probe/real.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

int ph_parcel_send(int socket, const struct ph_parcel *parcel)
{
    char nothing = 0, control[CMSG_SPACE(sizeof(parcel->fds))] = {0};
    struct iovec byte = {&nothing, 1};
    struct msghdr message = {.msg_iov = &byte, .msg_iovlen = 1, .msg_control = control};
    message.msg_controllen = CMSG_SPACE(parcel->count * sizeof(int));
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(parcel->count * sizeof(int));
    memcpy(CMSG_DATA(rights), parcel->fds, parcel->count * sizeof(int));
    return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int ph_parcel_receive(int socket, int flags, struct ph_parcel *ret_parcel)
{
    char nothing, control[CMSG_SPACE(sizeof(ret_parcel->fds))];
    struct iovec byte = {&nothing, 1};
    struct msghdr message = {
        .msg_iov = &byte, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    if (ph_real()->recvmsg(socket, &message, flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
        return -errno;
    const struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    if (!rights || rights->cmsg_type != SCM_RIGHTS)
        return -ENOMSG;
    ret_parcel->count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(ret_parcel->fds, CMSG_DATA(rights), ret_parcel->count * sizeof(int));
    return 0;
}

void ph_parcel_close(const struct ph_parcel *parcel)
{
    for (size_t i = 0; i < parcel->count; i++)
        ph_real()->close(parcel->fds[i]);
}
