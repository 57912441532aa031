/* process.h - facts about this process, from /proc/self. */
#ifndef PH_COLLECT_PROCESS_H
#define PH_COLLECT_PROCESS_H

#include "base/buf.h"
#include "base/error.h"

#include <stdint.h>
#include <sys/types.h>

struct ph_process {
    pid_t pid, ppid;
    char name[16]; /* comm */
    char state;    /* R, S, D, … as in /proc/PID/stat */
    double uptime_seconds;
    uint64_t rss_bytes;
};

/** ph_process_self() - 0, or a negative errno of reading /proc/self/stat. */
int ph_process_self(struct ph_process *ret_process, struct ph_error *error);

/** ph_process_cmdline() - append the arguments, separated by @separator (Go separates by NUL), without one at the end.
 * "" for a process that erased them. 0 or a negative errno. */
int ph_process_cmdline(char separator, struct ph_buf *out);

#endif
