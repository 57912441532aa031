/* hook_wait.c - waiting for children. The kernel restarts these after our signal. */
#include "probe/waits.h"

WAITS_RESTARTED(true, pid_t, wait, (int *status), (status))
WAITS_RESTARTED(!(options & WNOHANG), pid_t, waitpid, (pid_t pid, int *status, int options), (pid, status, options))
WAITS_RESTARTED(!(options & WNOHANG), pid_t, wait3, (int *status, int options, struct rusage *usage),
                (status, options, usage))
WAITS_RESTARTED(!(options & WNOHANG), pid_t, wait4, (pid_t pid, int *status, int options, struct rusage *usage),
                (pid, status, options, usage))
WAITS_RESTARTED(!(options & WNOHANG), int, waitid, (idtype_t type, id_t id, siginfo_t *info, int options),
                (type, id, info, options))
