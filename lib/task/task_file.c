#include "task/task_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define PATH_BYTES 48 /* "/proc/self/task/2147483647/schedstat" */

ssize_t ph_task_file_read_at(int dir, const char *path, char *ret_text, size_t size_bytes)
{
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    ssize_t count = read(fd, ret_text, size_bytes);
    int error = errno;
    close(fd);
    return count < 0 ? -error : count;
}

ssize_t ph_task_file_read(pid_t tid, const char *file, char *ret_text, size_t size_bytes)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "/proc/self/task/%d/%s", (int)tid, file);
    return ph_task_file_read_at(AT_FDCWD, path, ret_text, size_bytes);
}
