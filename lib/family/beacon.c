#include "family/beacon.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define WATCHERS_MAX 4096 /* the kernel cuts it to somaxconn */

static socklen_t name_address(const char *name, struct sockaddr_un *ret_address)
{
    size_t length = strnlen(name, PH_BEACON_NAME_MAX);
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(ret_address->sun_path + 1, name, length);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
}

static int open_socket(const struct ph_probe *probe)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : probe->own_fd(fd);
}

int ph_beacon_light(const struct ph_probe *probe, const char *name)
{
    struct sockaddr_un address;
    socklen_t size_bytes = name_address(name, &address);
    int fd = open_socket(probe);
    if (fd < 0)
        return fd;
    if (bind(fd, (struct sockaddr *)&address, size_bytes) == 0 && listen(fd, WATCHERS_MAX) == 0)
        return fd;
    int status = -errno;
    close(fd);
    return status;
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
