/* Waiting for a child: it ends with 7, or there is none. */
#include "conformance.h"

#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* One call, with @child, @status and @usage as the names in its arguments. What it tells of a child it has not got is part
 * of the outcome, too. */
#define WAIT(hook, ...)                                                                                            \
    CALL(hook)                                                                                                     \
    {                                                                                                              \
        int child = way == BAD ? -1 : child_that_ends(way), status = 4711;                                         \
        struct rusage usage = {.ru_maxrss = 0};                                                                    \
        errno = 0;                                                                                                 \
        struct outcome seen = outcome(f(__VA_ARGS__));                                                             \
        (void)usage;                                                                                               \
        seen.value = seen.value == child ? 1 : 0;                                                                  \
        seen.value += 10 * status;                                                                                 \
        return seen;                                                                                               \
    }

WAIT(wait, &status)
WAIT(wait3, &status, 0, &usage)
WAIT(wait4, child, &status, 0, &usage)
WAIT(waitpid, child, &status, 0)

CALL(waitid)
{
    siginfo_t info = {.si_signo = 0};
    int child = way == BAD ? -1 : child_that_ends(way);
    errno = 0;
    struct outcome seen = outcome(f(P_ALL, 0, &info, way == BAD ? 0 : WEXITED));
    seen.value = seen.value * 1000 + info.si_status * 10 + (info.si_pid == child);
    return seen;
}
