#include "probe/readable.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* EINVAL if it is readable, EFAULT if not: the kernel reads the set before it looks at what is to be done with it (as gperftools and
 * abseil ask). */
bool ph_is_readable_sig(const void *address)
{
    int saved_errno = errno;
    bool result = syscall(SYS_rt_sigprocmask, ~0, address, NULL, sizeof(uint64_t)) < 0 && errno == EINVAL;
    errno = saved_errno;
    return result;
}
