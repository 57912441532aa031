/* task_file.h - one read of a small file of one thread below /proc/self/task. Any thread. */
#ifndef PH_TASK_TASK_FILE_H
#define PH_TASK_TASK_FILE_H

#include <stddef.h>
#include <sys/types.h>

/**
 * ph_task_file_open() - a descriptor of @file of the thread @tid; -ESRCH for a thread that has ended, or a negative errno.
 * @folder: of /proc/self/task, from which the kernel has half of the way to go only; -1: none is open.
 */
int ph_task_file_open(int folder, pid_t tid, const char *file);

/** ph_task_file_read() - the begin of @file, not NUL-terminated. Bytes read, or a negative errno, -ESRCH whenever the thread ended.
 * ph_task_file_reread() - of a descriptor: what the file says now. */
ssize_t ph_task_file_read(int folder, pid_t tid, const char *file, char *ret_text, size_t size_bytes);
ssize_t ph_task_file_reread(int fd, char *ret_text, size_t size_bytes);

#endif
