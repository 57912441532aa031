#include "tools/replace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TEMPORARY ".porthole.new"

static int write_all(int fd, const char *bytes, size_t size_bytes)
{
    while (size_bytes > 0) {
        ssize_t written = write(fd, bytes, size_bytes);
        if (written == 0 || (written < 0 && errno != EINTR))
            return written == 0 ? -EIO : -errno;
        if (written > 0) {
            bytes += written;
            size_bytes -= (size_t)written;
        }
    }
    return 0;
}

/* Some file systems (FUSE, of old NFS) know no fsync() of what they are not asked to keep: that is no failure. */
static int bring_to_disk(int fd)
{
    return fsync(fd) < 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP ? -errno : 0;
}

/* close() tells of errors that write() did not (NFS, quotas: close(2)). */
static int write_temporary(int folder, const void *bytes, size_t size_bytes)
{
    int fd = openat(folder, TEMPORARY, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0)
        return -errno;
    int failed = write_all(fd, bytes, size_bytes);
    if (failed == 0)
        failed = bring_to_disk(fd);
    if (close(fd) < 0 && failed == 0 && errno != EINTR)
        failed = -errno;
    return failed;
}

static int replace(int folder, const char *name, const void *bytes, size_t size_bytes)
{
    int failed = write_temporary(folder, bytes, size_bytes);
    if (failed == 0 && renameat(folder, TEMPORARY, folder, name) < 0)
        failed = -errno;
    if (failed)
        unlinkat(folder, TEMPORARY, 0);
    else
        bring_to_disk(folder); /* the name; the file itself is safe, so that a failure here loses nothing now */
    return failed;
}

int ph_replace_file(const char *folder, const char *name, const void *bytes, size_t size_bytes,
                    struct ph_error *error)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int failed = fd < 0 ? -errno : replace(fd, name, bytes, size_bytes);
    if (fd >= 0)
        close(fd);
    return failed ? ph_error_set(error, failed, "cannot write %.100s/%.80s: %s", folder, name, strerror(-failed))
                  : 0;
}
