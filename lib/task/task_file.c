#include "task/task_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define PATH_BYTES 48 /* "/proc/self/task/2147483647/schedstat" */

int ph_task_file_open(int folder, pid_t tid, const char *file)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "%s%d/%s", folder < 0 ? "/proc/self/task/" : "", (int)tid, file);
    int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    return fd;
}

ssize_t ph_task_file_reread(int fd, char *ret_text, size_t size_bytes)
{
    ssize_t count = pread(fd, ret_text, size_bytes, 0);
    return count < 0 ? -errno : count;
}

ssize_t ph_task_file_read(int folder, pid_t tid, const char *file, char *ret_text, size_t size_bytes)
{
    int fd = ph_task_file_open(folder, tid, file);
    if (fd < 0)
        return fd;
    ssize_t count = ph_task_file_reread(fd, ret_text, size_bytes);
    close(fd);
    return count;
}
