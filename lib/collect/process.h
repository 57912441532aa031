/*
 * process.h - facts about a process, from /proc: this one, or another member of its family.
 *
 * Any thread of ours; reading a command line may block for as long as the other process is changing its memory map.
 */
#ifndef PH_COLLECT_PROCESS_H
#define PH_COLLECT_PROCESS_H

#include "base/buf.h"
#include "base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ph_process {
    pid_t pid, ppid;
    char name[16];        /* comm */
    char state;           /* R, S, D, … as in /proc/PID/stat */
    uint64_t start_ticks; /* field 22 of /proc/PID/stat: tells a process from a later one of the same number */
    double uptime_seconds;
    uint64_t rss_bytes;
};

/** ph_process_self() - this process: 0, or a negative errno of reading /proc/self/stat. */
int ph_process_self(struct ph_process *ret_process, struct ph_error *error);

/** ph_process_read() - the process @pid: 0, or a negative errno of reading /proc/PID/stat; -ENOENT or -ESRCH if it has
 * ended, or is hidden (hidepid of proc(5)); -EXDEV if /proc is that of another pid namespace, where @pid is somebody else. */
int ph_process_read(pid_t pid, struct ph_process *ret_process, struct ph_error *error);

/** ph_process_cmdline() - append the arguments of this process, separated by @separator (Go separates by NUL), without one at
 * the end. "" for a process that erased them. 0 or a negative errno. */
int ph_process_cmdline(char separator, struct ph_buf *out);

/** ph_process_command() - append the arguments of @pid, separated by blanks, cut at @limit_bytes. 0, or a negative errno
 * as ph_process_read(). */
int ph_process_command(pid_t pid, size_t limit_bytes, struct ph_buf *out);

#endif
