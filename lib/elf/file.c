#include "elf/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOWEST_FD 512 /* above what hosts count on: stdio, FD_SETSIZE habits, close loops */

int ph_fd_lift(int take_fd)
{
    int fd = fcntl(take_fd, F_DUPFD_CLOEXEC, LOWEST_FD);
    if (fd < 0)
        return take_fd;
    close(take_fd);
    return fd;
}

int ph_fd_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    return fd < 0 ? -errno : ph_fd_lift(fd);
}

int ph_file_open(struct ph_file *ret_file, const char *path)
{
    struct stat status;
    /* Asked before opening, for the sake of devices, and again afterwards, for the sake of races. */
    if (stat(path, &status) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return -EINVAL;
    int fd = ph_fd_open(path);
    if (fd < 0)
        return fd;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size < 0) {
        close(fd);
        return -EINVAL;
    }
    *ret_file = (struct ph_file){fd, NULL, (uint64_t)status.st_size, status.st_dev, status.st_ino};
    return 0;
}

struct ph_file ph_file_over(unsigned char *take_bytes, size_t size_bytes)
{
    return (struct ph_file){-1, take_bytes, size_bytes, 0, 0};
}

void ph_file_close(struct ph_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    free(file->bytes);
    *file = (struct ph_file)PH_FILE_NONE;
}

bool ph_file_holds(const struct ph_file *file, uint64_t offset, uint64_t size_bytes)
{
    return offset <= file->size_bytes && size_bytes <= file->size_bytes - offset;
}

bool ph_file_read(const void *file, uint64_t offset, void *buffer, size_t size_bytes)
{
    const struct ph_file *from = file;
    if (!ph_file_holds(from, offset, size_bytes))
        return false;
    if (from->bytes) {
        memcpy(buffer, from->bytes + offset, size_bytes);
        return true;
    }
    unsigned char *next = buffer;
    while (size_bytes > 0) {
        ssize_t got = pread(from->fd, next, size_bytes, (off_t)offset);
        if (got <= 0)
            return false;
        next += got;
        offset += (uint64_t)got;
        size_bytes -= (size_t)got;
    }
    return true;
}
