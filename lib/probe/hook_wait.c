/*
 * hook_wait.c - calls that can wait: here a forked child of a server shows that it serves on, and wakes (activate.h).
 *
 * A call that is told not to wait wakes nobody: waitpid(WNOHANG) is what handlers of SIGCHLD call. The real function comes
 * last, as the hook's own: points of cancellation stay what they are.
 */
#include "probe/activate.h"
#include "probe/export.h"
#include "probe/real.h"

#define WAITS(condition, type, name, parameters, arguments)                                                        \
    PH_EXPORT type name parameters                                                                                 \
    {                                                                                                              \
        if (condition)                                                                                             \
            ph_wake_to_wait();                                                                                     \
        return ph_real()->name arguments;                                                                          \
    }

/* Only where glibc reads it, too: elsewhere a bad pointer is the kernel's to refuse. */
static bool is_zero(const struct timespec *timeout)
{
    return timeout && timeout->tv_sec == 0 && timeout->tv_nsec == 0;
}

/* ---- Readiness ---- */

WAITS(timeout_ms != 0, int, poll, (struct pollfd * fds, nfds_t count, int timeout_ms), (fds, count, timeout_ms))
WAITS(!is_zero(timeout), int, ppoll,
      (struct pollfd * fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask),
      (fds, count, timeout, mask))
WAITS(timeout_ms != 0, int, epoll_wait, (int epoll, struct epoll_event *events, int capacity, int timeout_ms),
      (epoll, events, capacity, timeout_ms))
WAITS(timeout_ms != 0, int, epoll_pwait,
      (int epoll, struct epoll_event *events, int capacity, int timeout_ms, const sigset_t *mask),
      (epoll, events, capacity, timeout_ms, mask))
WAITS(true, int, epoll_pwait2,
      (int epoll, struct epoll_event *events, int capacity, const struct timespec *timeout, const sigset_t *mask),
      (epoll, events, capacity, timeout, mask))
WAITS(!timeout || timeout->tv_sec || timeout->tv_usec, int, select,
      (int count, fd_set *readable, fd_set *writable, fd_set *exceptional, struct timeval *timeout),
      (count, readable, writable, exceptional, timeout))
WAITS(!is_zero(timeout), int, pselect,
      (int count, fd_set *readable, fd_set *writable, fd_set *exceptional, const struct timespec *timeout,
       const sigset_t *mask),
      (count, readable, writable, exceptional, timeout, mask))

/* ---- Input ---- */

WAITS(true, ssize_t, read, (int fd, void *bytes, size_t size_bytes), (fd, bytes, size_bytes))
WAITS(!(flags & MSG_DONTWAIT), ssize_t, recv, (int fd, void *bytes, size_t size_bytes, int flags),
      (fd, bytes, size_bytes, flags))
WAITS(!(flags & MSG_DONTWAIT), ssize_t, recvfrom,
      (int fd, void *bytes, size_t size_bytes, int flags, struct sockaddr *address, socklen_t *address_bytes),
      (fd, bytes, size_bytes, flags, address, address_bytes))
WAITS(!(flags & MSG_DONTWAIT), ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))

/* What _FORTIFY_SOURCE makes of them: Debian's packages call these. */
ssize_t __read_chk(int fd, void *bytes, size_t size_bytes, size_t capacity);
ssize_t __recv_chk(int fd, void *bytes, size_t size_bytes, size_t capacity, int flags);
ssize_t __recvfrom_chk(int fd, void *bytes, size_t size_bytes, size_t capacity, int flags, struct sockaddr *address,
                       socklen_t *address_bytes);
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms, size_t capacity);
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask,
                size_t capacity);

WAITS(true, ssize_t, __read_chk, (int fd, void *bytes, size_t size_bytes, size_t capacity),
      (fd, bytes, size_bytes, capacity))
WAITS(!(flags & MSG_DONTWAIT), ssize_t, __recv_chk,
      (int fd, void *bytes, size_t size_bytes, size_t capacity, int flags),
      (fd, bytes, size_bytes, capacity, flags))
WAITS(!(flags & MSG_DONTWAIT), ssize_t, __recvfrom_chk,
      (int fd, void *bytes, size_t size_bytes, size_t capacity, int flags, struct sockaddr *address,
       socklen_t *address_bytes),
      (fd, bytes, size_bytes, capacity, flags, address, address_bytes))
WAITS(timeout_ms != 0, int, __poll_chk, (struct pollfd * fds, nfds_t count, int timeout_ms, size_t capacity),
      (fds, count, timeout_ms, capacity))
WAITS(!is_zero(timeout), int, __ppoll_chk,
      (struct pollfd * fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask, size_t capacity),
      (fds, count, timeout, mask, capacity))

/* ---- Signals ---- */

WAITS(true, int, pause, (void), ())
WAITS(true, int, sigsuspend, (const sigset_t *mask), (mask))
WAITS(true, int, sigwait, (const sigset_t *set, int *signal), (set, signal))
WAITS(true, int, sigwaitinfo, (const sigset_t *set, siginfo_t *info), (set, info))
WAITS(true, int, sigtimedwait, (const sigset_t *set, siginfo_t *info, const struct timespec *timeout),
      (set, info, timeout))

/* ---- Children ---- */

WAITS(true, pid_t, wait, (int *status), (status))
WAITS(!(options & WNOHANG), pid_t, waitpid, (pid_t pid, int *status, int options), (pid, status, options))
WAITS(!(options & WNOHANG), pid_t, wait3, (int *status, int options, struct rusage *usage),
      (status, options, usage))
WAITS(!(options & WNOHANG), pid_t, wait4, (pid_t pid, int *status, int options, struct rusage *usage),
      (pid, status, options, usage))
WAITS(!(options & WNOHANG), int, waitid, (idtype_t type, id_t id, siginfo_t *info, int options),
      (type, id, info, options))

/* ---- Time ---- */

WAITS(true, unsigned, sleep, (unsigned seconds), (seconds))
WAITS(true, int, usleep, (useconds_t duration_us), (duration_us))
WAITS(true, int, nanosleep, (const struct timespec *duration, struct timespec *left), (duration, left))
WAITS(true, int, clock_nanosleep, (clockid_t clock, int flags, const struct timespec *until, struct timespec *left),
      (clock, flags, until, left))

/* ---- Semaphores: how worker pools wait for work ---- */

WAITS(true, int, sem_wait, (sem_t * semaphore), (semaphore))
WAITS(true, int, sem_timedwait, (sem_t *restrict semaphore, const struct timespec *restrict until),
      (semaphore, until))
WAITS(true, int, sem_clockwait, (sem_t *restrict semaphore, clockid_t clock, const struct timespec *restrict until),
      (semaphore, clock, until))
