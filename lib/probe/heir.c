#include "probe/heir.h"

#include "probe/counters.h"
#include "probe/guard.h"
#include "probe/own_fd.h"
#include "probe/real.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BEQUEATHED_MAX 8

/* What a child finds as its parent had it; written by the first thread of ours, and by a dup2() that moves it. */
static int host_fd = PH_HEIR_NONE; /* atomic: in the host's table */
static int own_fd = PH_HEIR_NONE;  /* in that of our threads; not inherited */
static ino_t inode;                /* of the socket: one number for the whole system, never given twice */

/* The sender of the pair first, then what is bequeathed. */
struct parcel {
    int fds[1 + BEQUEATHED_MAX];
    size_t count;
};

int ph_heir_fd(void)
{
    return __atomic_load_n(&host_fd, __ATOMIC_RELAXED);
}

static bool is_socket(int fd, ino_t number)
{
    struct stat facts;
    int saved_errno = errno;
    bool same = fstat(fd, &facts) == 0 && S_ISSOCK(facts.st_mode) && facts.st_ino == number;
    errno = saved_errno;
    return same;
}

bool ph_heir_is(int fd)
{
    return fd != PH_HEIR_NONE && fd == ph_heir_fd() && is_socket(fd, inode);
}

bool ph_heir_move(void)
{
    int saved_errno = errno;
    int from = ph_heir_fd();
    int to = fcntl(from, F_DUPFD_CLOEXEC, from + 1);
    if (to < 0)
        to = fcntl(from, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (to >= 0)
        __atomic_store_n(&host_fd, to, __ATOMIC_RELAXED); /* the caller replaces the old number */
    errno = saved_errno;
    return to >= 0;
}

static int send_parcel(int sender, const struct parcel *parcel)
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
    return sendmsg(sender, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* @flags: MSG_PEEK to leave it there. The first parcel in the queue, in new descriptors. */
static int receive_parcel(int fd, int flags, struct parcel *ret_parcel)
{
    char nothing, control[CMSG_SPACE(sizeof(ret_parcel->fds))];
    struct iovec byte = {&nothing, 1};
    struct msghdr message = {
        .msg_iov = &byte, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    if (recvmsg(fd, &message, flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
        return -errno;
    const struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    if (!rights || rights->cmsg_type != SCM_RIGHTS)
        return -ENOMSG; /* no descriptor was left for any of them */
    ret_parcel->count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(ret_parcel->fds, CMSG_DATA(rights), ret_parcel->count * sizeof(int));
    return 0;
}

static void close_parcel(const struct parcel *parcel)
{
    for (size_t i = 0; i < parcel->count; i++)
        ph_real()->close(parcel->fds[i]);
}

void ph_heir_make(void)
{
    int pair[2];
    if (ph_heir_is(ph_heir_fd()))
        return;
    __atomic_store_n(&host_fd, PH_HEIR_NONE, __ATOMIC_RELAXED);
    struct stat facts;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        ph_degrade(PH_DEGRADED_HEIR);
        return;
    }
    struct parcel sender = {{pair[0]}, 1};
    int fd = fstat(pair[1], &facts) == 0 && send_parcel(pair[0], &sender) == 0 ? ph_fd_raise(pair[1]) : -1;
    ph_real()->close(pair[0]); /* it lives on in the queue */
    if (fd < 0) {
        ph_real()->close(pair[1]);
        ph_degrade(PH_DEGRADED_HEIR);
        return;
    }
    inode = facts.st_ino;
    __atomic_store_n(&host_fd, fd, __ATOMIC_RELEASE);
}

void ph_heir_kept(void)
{
    own_fd = ph_heir_fd();
}

/* Where our threads share the host's table, a dup2() may have moved it. */
static int usable(void)
{
    int fd = ph_tls.apart ? own_fd : ph_heir_fd();
    return fd != PH_HEIR_NONE && is_socket(fd, inode) ? fd : -EBADF;
}

/* The new parcel is there before the old one goes: who peeks meanwhile gets one of them. */
int ph_bequeath(const int *fds, size_t count)
{
    struct parcel old, parcel;
    int heir = usable();
    int status = heir < 0 ? heir : count > BEQUEATHED_MAX ? -E2BIG : receive_parcel(heir, MSG_PEEK, &old);
    if (status < 0)
        return status;
    parcel.fds[0] = old.fds[0];
    parcel.count = 1 + count;
    memcpy(parcel.fds + 1, fds, count * sizeof(int));
    status = send_parcel(old.fds[0], &parcel);
    close_parcel(&old);
    if (status == 0 && receive_parcel(heir, 0, &old) == 0)
        close_parcel(&old);
    return status;
}

size_t ph_inherit(int *ret_fds, size_t capacity)
{
    struct parcel parcel;
    int heir = usable();
    size_t count = 0;
    if (heir < 0 || receive_parcel(heir, MSG_PEEK, &parcel) < 0)
        return 0;
    for (size_t i = 0; i < parcel.count; i++)
        if (i > 0 && count < capacity)
            ret_fds[count++] = ph_own_fd_take(parcel.fds[i]);
        else
            ph_real()->close(parcel.fds[i]);
    return count;
}
