/* proc_status.h - what everybody may know of a process: /proc/PID/status. */
#ifndef PH_TOOLS_PROC_STATUS_H
#define PH_TOOLS_PROC_STATUS_H

#include <sys/types.h>

struct ph_proc_status {
    char name[64]; /* comm, as it is: made visible by who shows it; "" if unknown */
    pid_t ppid;    /* 0 if unknown */
    uid_t
        user; /* effective; (uid_t)-1 if unknown. The owner of /proc/PID is root where a process may not be dumped */
};

/** ph_proc_status_read() - 0; -ENOENT if there is no such process, or another negative errno, with all unknown. */
int ph_proc_status_read(pid_t pid, struct ph_proc_status *ret_status);

/** ph_proc_status_parse() - the same from the text of the file, a string. */
void ph_proc_status_parse(const char *text, struct ph_proc_status *ret_status);

#endif
