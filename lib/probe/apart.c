#include "probe/apart.h"

#include "probe/counters.h"
#include "probe/guard.h"
#include "probe/real.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

static bool leave_table(int kept)
{
    const struct ph_real *real = ph_real();
    unsigned last = kept > STDERR_FILENO ? (unsigned)kept - 1 : UINT_MAX; /* none if kept is the first number */
    bool left = last > STDERR_FILENO ? real->close_range(STDERR_FILENO + 1, last, CLOSE_RANGE_UNSHARE) == 0
                                     : unshare(CLONE_FILES) == 0;
    return left && (last == UINT_MAX || real->close_range((unsigned)kept + 1, UINT_MAX, 0) == 0);
}

/* A descriptor for what is not to be a socket of ours; the host may have changed its root. */
static int open_nothing(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    return fd < 0 ? ph_real()->eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : fd;
}

/* Of a host that has closed them: the first sockets of the agent would get these numbers. */
static void fill_standard_numbers(void)
{
    int fd = open_nothing();
    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = open_nothing();
    if (fd >= 0)
        ph_real()->close(fd);
}

void ph_apart_leave(int kept)
{
    ph_tls.apart = leave_table(kept);
    if (ph_tls.apart)
        fill_standard_numbers();
    else
        ph_degrade(PH_DEGRADED_DESCRIPTORS);
    /* "/": the working folder of a daemon must not be held on to. */
    if (unshare(CLONE_FS) < 0 || chdir("/") < 0)
        ph_degrade(PH_DEGRADED_ROOT);
}

/* The numbers must not be free: a library that writes to stderr would write into whatever we open next. */
void ph_apart_settle(void)
{
    if (!ph_tls.apart)
        return;
    int nothing = open_nothing();
    for (int fd = STDIN_FILENO; nothing >= 0 && fd <= STDERR_FILENO; fd++)
        ph_real()->dup2(nothing, fd);
    if (nothing > STDERR_FILENO)
        ph_real()->close(nothing);
}
