#include "conformance.h"

#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

CALL(prctl)
{
    int signal_number = -1;
    struct outcome seen = outcome(f(way == GOOD ? PR_GET_PDEATHSIG : 123456, &signal_number, 0, 0, 0));
    seen.value = seen.value * 100 + signal_number;
    return seen;
}

/* With the sixth argument, too: a folder that is no descriptor, then the offset in a file that cannot be mapped. */
CALL(syscall)
{
    if (way == GOOD)
        return outcome(f(SYS_getppid));
    return outcome(
        f(SYS_mmap, NULL, (size_t)4096, 0L, 2L, -1L, 1L)); /* EINVAL: the offset is no multiple of a page */
}
