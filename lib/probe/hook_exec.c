/* hook_exec.c - the host executes a program: its own again, perhaps (reexec.h). */
#include "probe/export.h"
#include "probe/let_in.h"
#include "probe/real.h"
#include "probe/reexec.h"

#include <string.h>
#include <unistd.h>

#define LINES_MAX 4096 /* of an environment: 32 KiB of stack */

static size_t count_lines(char *const *environment)
{
    size_t count = 0;
    while (environment && environment[count])
        count++;
    return count;
}

PH_EXPORT int execve(const char *path, char *const *arguments, char *const *environment)
{
    char *lines[PH_REEXEC_LINES_MAX];
    size_t lacking = ph_reexec_lacking(path, environment, lines);
    size_t given = lacking ? count_lines(environment) : 0;
    ph_let_in_no_more();
    if (lacking == 0 || given > LINES_MAX)
        return ph_real()->execve(path, arguments, environment);
    char *merged[given + lacking + 1];
    if (given)
        memcpy(merged, environment, given * sizeof(*merged));
    memcpy(merged + given, lines, lacking * sizeof(*merged));
    merged[given + lacking] = NULL;
    return ph_real()->execve(path, arguments, merged);
}
