/* recv, read and their kin, on a socket in which five bytes are waiting; room is for four. */
#include "conformance.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* What glibc's headers declare only to programs that are compiled with _FORTIFY_SOURCE. */
extern ssize_t __recv_chk(int fd, void *buffer, size_t size, size_t buffer_size, int flags);
extern ssize_t __recvfrom_chk(int fd, void *buffer, size_t size, size_t buffer_size, int flags,
                              struct sockaddr *address, socklen_t *address_bytes);
extern ssize_t __read_chk(int fd, void *buffer, size_t size, size_t buffer_size);

/* One call, with @fd and @text as the names in its arguments. */
#define RECEIVE(hook, ...)                                                                                         \
    CALL(hook)                                                                                                     \
    {                                                                                                              \
        char text[4] = "....";                                                                                     \
        int fd = readable(way);                                                                                    \
        struct outcome seen = outcome(f(__VA_ARGS__));                                                             \
        discard(fd);                                                                                               \
        return (struct outcome){seen.value < 0 ? -1 : digest(text, seen.value), seen.error};                       \
    }

RECEIVE(recv, fd, text, sizeof(text), 0)
RECEIVE(__recv_chk, fd, text, sizeof(text), sizeof(text), 0)
RECEIVE(recvfrom, fd, text, sizeof(text), MSG_PEEK, NULL, NULL)
RECEIVE(__recvfrom_chk, fd, text, sizeof(text), sizeof(text), 0, NULL, NULL)
RECEIVE(read, fd, text, sizeof(text))
RECEIVE(__read_chk, fd, text, sizeof(text), sizeof(text))

CALL(recvmsg)
{
    char text[4] = "....";
    struct iovec vector = {text, sizeof(text)};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    int fd = readable(way);
    struct outcome seen = outcome(f(fd, &message, 0));
    discard(fd);
    return (struct outcome){seen.value < 0 ? -1 : digest(text, seen.value), seen.error};
}
