/* task_file.h - one read of a small file of one thread below /proc/self/task. Any thread. */
#ifndef PH_TASK_TASK_FILE_H
#define PH_TASK_TASK_FILE_H

#include <stddef.h>
#include <sys/types.h>

/** ph_task_file_read() - the begin of @file of the thread @tid, not NUL-terminated. Bytes read, or a negative errno: -ESRCH for a
 * thread that has ended, whenever it did. ph_task_file_read_at() - of @path below the folder @dir. */
ssize_t ph_task_file_read(pid_t tid, const char *file, char *ret_text, size_t size_bytes);
ssize_t ph_task_file_read_at(int dir, const char *path, char *ret_text, size_t size_bytes);

#endif
