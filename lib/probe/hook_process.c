/*
 * hook_process.c - servers that listen and at once give up what they may: their root, their user, further threads.
 *
 * Our first thread must have left the host's root by then, and have made the threads it needs. All hooks but this one let
 * the real function go first.
 */
#include "probe/activate.h"
#include "probe/export.h"
#include "probe/guard.h"
#include "probe/real.h"

#include <unistd.h>

static void before_giving_up(void)
{
    struct ph_guard guard;
    if (ph_guard_enter(&guard)) {
        ph_activation_wait_apart(&guard);
        ph_guard_leave(&guard);
    }
}

PH_EXPORT int chroot(const char *path)
{
    before_giving_up();
    return ph_real()->chroot(path);
}

PH_EXPORT int setuid(uid_t user)
{
    before_giving_up();
    return ph_real()->setuid(user);
}

PH_EXPORT int setreuid(uid_t real, uid_t effective)
{
    before_giving_up();
    return ph_real()->setreuid(real, effective);
}

PH_EXPORT int setresuid(uid_t real, uid_t effective, uid_t saved)
{
    before_giving_up();
    return ph_real()->setresuid(real, effective, saved);
}
