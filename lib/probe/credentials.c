#include "probe/credentials.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WORD_BITS 32

/* -1 if the kernel does not tell. */
static int has(pid_t tid, unsigned capability)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = tid};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &header, data) < 0)
        return -1;
    return (data[capability / WORD_BITS].effective >> (capability % WORD_BITS)) & 1;
}

bool ph_capability_differs(pid_t tid, unsigned capability)
{
    int saved_errno = errno;
    int here = has(0, capability), there = has(tid, capability);
    errno = saved_errno;
    return here >= 0 && there >= 0 && here != there;
}
