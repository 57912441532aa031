/* hook_receive.c - waiting for input. The kernel restarts these after our signal, but where the socket has a timeout (SO_RCVTIMEO). */
#include "probe/waits.h"

/* What _FORTIFY_SOURCE makes of them: Debian's packages call these. */
ssize_t __read_chk(int fd, void *bytes, size_t size_bytes, size_t capacity);
ssize_t __recv_chk(int fd, void *bytes, size_t size_bytes, size_t capacity, int flags);
ssize_t __recvfrom_chk(int fd, void *bytes, size_t size_bytes, size_t capacity, int flags, struct sockaddr *address,
                       socklen_t *address_bytes);

WAITS_FOR_INPUT(true, ssize_t, read, (int fd, void *bytes, size_t size_bytes), (fd, bytes, size_bytes))
WAITS_FOR_INPUT(!(flags & MSG_DONTWAIT), ssize_t, recv, (int fd, void *bytes, size_t size_bytes, int flags),
                (fd, bytes, size_bytes, flags))
WAITS_FOR_INPUT(!(flags & MSG_DONTWAIT), ssize_t, recvfrom,
                (int fd, void *bytes, size_t size_bytes, int flags, struct sockaddr *address,
                 socklen_t *address_bytes),
                (fd, bytes, size_bytes, flags, address, address_bytes))
WAITS_FOR_INPUT(!(flags & MSG_DONTWAIT), ssize_t, recvmsg, (int fd, struct msghdr *message, int flags),
                (fd, message, flags))
WAITS_FOR_INPUT(true, ssize_t, __read_chk, (int fd, void *bytes, size_t size_bytes, size_t capacity),
                (fd, bytes, size_bytes, capacity))
WAITS_FOR_INPUT(!(flags & MSG_DONTWAIT), ssize_t, __recv_chk,
                (int fd, void *bytes, size_t size_bytes, size_t capacity, int flags),
                (fd, bytes, size_bytes, capacity, flags))
WAITS_FOR_INPUT(!(flags & MSG_DONTWAIT), ssize_t, __recvfrom_chk,
                (int fd, void *bytes, size_t size_bytes, size_t capacity, int flags, struct sockaddr *address,
                 socklen_t *address_bytes),
                (fd, bytes, size_bytes, capacity, flags, address, address_bytes))
