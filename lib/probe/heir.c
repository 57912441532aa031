#include "probe/heir.h"

#include "probe/counters.h"
#include "probe/guard.h"
#include "probe/own_fd.h"
#include "probe/parcel.h"
#include "probe/real.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a child finds as its parent had it; written by the first thread of ours, by a fork, and by a dup2() that moves it. */
static int host_fd = PH_HEIR_NONE; /* atomic: in the host's table */
static int own_fd = PH_HEIR_NONE;  /* in that of our threads; not inherited */
static ino_t inode;                /* of the socket: one number for the whole system, never given twice */

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

int ph_heir_find(void)
{
    if (!ph_heir_is(ph_heir_fd()))
        __atomic_store_n(&host_fd, PH_HEIR_NONE, __ATOMIC_RELAXED);
    return ph_heir_fd();
}

/* With its sender as its first parcel. */
static int make(void)
{
    int pair[2];
    struct stat facts;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    struct ph_parcel sender = {{pair[0]}, 1};
    int status = fstat(pair[1], &facts) < 0 ? -errno : ph_parcel_send(pair[0], &sender);
    ph_real()->close(pair[0]); /* it lives on in the queue */
    if (status < 0) {
        ph_real()->close(pair[1]);
        return status;
    }
    inode = facts.st_ino;
    return pair[1];
}

void ph_heir_keep(void)
{
    own_fd = ph_heir_fd();
    int fd = own_fd == PH_HEIR_NONE ? make() : own_fd;
    if (fd < 0)
        ph_degrade(PH_DEGRADED_HEIR);
    else if (ph_tls.apart)
        own_fd = fd;
    else if (own_fd == PH_HEIR_NONE)
        __atomic_store_n(&host_fd, ph_fd_raise(fd), __ATOMIC_RELEASE);
}

int ph_heir_own_fd(void)
{
    return ph_tls.apart ? own_fd : PH_HEIR_NONE;
}

bool ph_heir_adopt(int fd)
{
    if (!is_socket(fd, inode)) {
        ph_real()->close(fd);
        return false;
    }
    int high = ph_fd_raise(fd);
    if (!is_socket(high, inode))
        return false; /* another thread of the host has closed it in between: whatever it is now, it is the host's */
    __atomic_store_n(&host_fd, high, __ATOMIC_RELEASE);
    return true;
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
    struct ph_parcel old, parcel;
    int heir = usable();
    int status = heir < 0 ? heir : count >= PH_PARCEL_MAX ? -E2BIG : ph_parcel_receive(heir, MSG_PEEK, &old);
    if (status < 0)
        return status;
    parcel.fds[0] = old.fds[0];
    parcel.count = 1 + count;
    memcpy(parcel.fds + 1, fds, count * sizeof(int));
    status = ph_parcel_send(old.fds[0], &parcel);
    ph_parcel_close(&old);
    if (status == 0 && ph_parcel_receive(heir, 0, &old) == 0)
        ph_parcel_close(&old);
    return status;
}

size_t ph_inherit(int *ret_fds, size_t capacity)
{
    struct ph_parcel parcel;
    int heir = usable();
    size_t count = 0;
    if (heir < 0 || ph_parcel_receive(heir, MSG_PEEK, &parcel) < 0)
        return 0;
    for (size_t i = 0; i < parcel.count; i++)
        if (i > 0 && count < capacity)
            ret_fds[count++] = ph_own_fd_take(parcel.fds[i]);
        else
            ph_real()->close(parcel.fds[i]);
    return count;
}
