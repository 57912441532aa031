#include "tools/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int cannot_write(const char *path, int code, struct ph_error *error)
{
    errno = -code;
    return ph_error_set(error, code, "cannot write %.150s: %m", path);
}

static int write_all(int fd, const char *bytes, size_t size_bytes)
{
    while (size_bytes > 0) {
        ssize_t count = write(fd, bytes, size_bytes);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? -errno : -EIO;
        bytes += count;
        size_bytes -= (size_t)count;
    }
    return 0;
}

/* What stdio still holds comes first. */
static int write_standard(const char *bytes, size_t size_bytes, struct ph_error *error)
{
    int failed = fflush(stdout) == 0 ? write_all(STDOUT_FILENO, bytes, size_bytes) : -errno;
    return failed ? cannot_write("standard output", failed, error) : 0;
}

static int write_in_place(const char *path, const char *bytes, size_t size_bytes, struct ph_error *error)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    int failed = fd < 0 ? -errno : write_all(fd, bytes, size_bytes);
    if (fd >= 0 && close(fd) < 0 && failed == 0)
        failed = -errno;
    return failed ? cannot_write(path, failed, error) : 0;
}

/* Full disks and quotas may show as late as in close(). */
static int fill(int take_fd, mode_t mode, const char *bytes, size_t size_bytes)
{
    int failed = write_all(take_fd, bytes, size_bytes);
    if (failed == 0 && (fchmod(take_fd, mode) < 0 || fsync(take_fd) < 0))
        failed = -errno;
    if (close(take_fd) < 0 && failed == 0)
        failed = -errno;
    return failed;
}

static int replace(const char *path, mode_t mode, const char *bytes, size_t size_bytes, struct ph_error *error)
{
    char beside[PATH_MAX];
    int length = snprintf(beside, sizeof(beside), "%s.XXXXXX", path);
    if (length < 0 || (size_t)length >= sizeof(beside))
        return cannot_write(path, -ENAMETOOLONG, error);
    int fd = mkostemp(beside, O_CLOEXEC);
    if (fd < 0)
        return cannot_write(path, -errno, error);
    int failed = fill(fd, mode, bytes, size_bytes);
    if (failed == 0 && rename(beside, path) < 0)
        failed = -errno;
    if (failed)
        unlink(beside);
    return failed ? cannot_write(path, failed, error) : 0;
}

static mode_t mode_of_new_files(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

int ph_output_write(const char *path, const void *bytes, size_t size_bytes, struct ph_error *error)
{
    struct stat status;
    char target[PATH_MAX];
    if (strcmp(path, "-") == 0)
        return write_standard(bytes, size_bytes, error);
    bool is_there = stat(path, &status) == 0;
    if (is_there && !S_ISREG(status.st_mode))
        return write_in_place(path, bytes, size_bytes, error);
    if (is_there && !realpath(path, target)) /* follows links */
        return cannot_write(path, -errno, error);
    return replace(is_there ? target : path, is_there ? status.st_mode & 07777 : mode_of_new_files(), bytes,
                   size_bytes, error);
}

bool ph_ends_with(const char *name, const char *ending)
{
    size_t length = strlen(name), ending_length = strlen(ending);
    return length > ending_length && strcasecmp(name + length - ending_length, ending) == 0;
}
