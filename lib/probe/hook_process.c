/*
 * hook_process.c - servers that listen and at once give up what they may: their root, their user, further threads.
 *
 * Our first thread must have left the host's root by then, and have made the threads it needs; and none of ours may answer
 * to a change of user otherwise than the host's does. All hooks but this one let the real function go first.
 */
#include "probe/activate.h"
#include "probe/export.h"
#include "probe/fork.h"
#include "probe/guard.h"
#include "probe/real.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <unistd.h>

PH_EXPORT pid_t fork(void)
{
    return ph_fork();
}

PH_EXPORT int chroot(const char *path)
{
    struct ph_guard guard;
    if (ph_guard_enter(&guard)) {
        ph_activation_before_jail(&guard);
        ph_guard_leave(&guard);
    }
    return ph_real()->chroot(path);
}

/* haproxy's workers forbid themselves further threads when they begin to serve. */
static void before_limit(int resource, const void *limit)
{
    struct ph_guard guard;
    if (resource == RLIMIT_NPROC && limit && ph_guard_enter(&guard)) {
        ph_activation_before_jail(&guard);
        ph_guard_leave(&guard);
    }
}

#define LIMIT(name, parameters, arguments)                                                                         \
    PH_EXPORT int name parameters                                                                                  \
    {                                                                                                              \
        before_limit((int)resource, limit);                                                                        \
        return ph_real()->name arguments;                                                                          \
    }

LIMIT(setrlimit, (__rlimit_resource_t resource, const struct rlimit *limit), ((int)resource, limit))
LIMIT(setrlimit64, (__rlimit_resource_t resource, const struct rlimit64 *limit), ((int)resource, limit))
LIMIT(prlimit, (pid_t pid, __rlimit_resource_t resource, const struct rlimit *limit, struct rlimit *old),
      (pid, (int)resource, limit, old))
LIMIT(prlimit64, (pid_t pid, __rlimit_resource_t resource, const struct rlimit64 *limit, struct rlimit64 *old),
      (pid, (int)resource, limit, old))

static void before_change(unsigned capability)
{
    struct ph_guard guard;
    if (ph_guard_enter(&guard)) {
        ph_activation_before_change(&guard, capability);
        ph_guard_leave(&guard);
    }
}

#define CHANGE(capability, name, parameters, arguments)                                                            \
    PH_EXPORT int name parameters                                                                                  \
    {                                                                                                              \
        before_change(capability);                                                                                 \
        return ph_real()->name arguments;                                                                          \
    }

CHANGE(CAP_SETUID, setuid, (uid_t user), (user))
CHANGE(CAP_SETUID, seteuid, (uid_t effective), (effective))
CHANGE(CAP_SETUID, setreuid, (uid_t real, uid_t effective), (real, effective))
CHANGE(CAP_SETUID, setresuid, (uid_t real, uid_t effective, uid_t saved), (real, effective, saved))
CHANGE(CAP_SETGID, setgid, (gid_t group), (group))
CHANGE(CAP_SETGID, setegid, (gid_t effective), (effective))
CHANGE(CAP_SETGID, setregid, (gid_t real, gid_t effective), (real, effective))
CHANGE(CAP_SETGID, setresgid, (gid_t real, gid_t effective, gid_t saved), (real, effective, saved))
CHANGE(CAP_SETGID, setgroups, (size_t count, const gid_t *groups), (count, groups))
CHANGE(CAP_SETGID, initgroups, (const char *user, gid_t group), (user, group))
