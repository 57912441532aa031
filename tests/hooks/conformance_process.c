/* Users, groups, limits and the root. As root they change nothing; else they are refused in both. */
#include "conformance.h"

#include <grp.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

CALL(fork)
{
    int status = -1;
    (void)way;
    pid_t child = f();
    if (child == 0)
        _exit(9);
    struct outcome seen = outcome(child > 0);
    waitpid(child, &status, 0);
    seen.value += status;
    return seen;
}

CALL(chroot)
{
    return outcome(f(way == GOOD ? "/" : "/no/such/folder")); /* EPERM if we are not root: in both */
}

/* Neither of them can be executed, so the test goes on. */
CALL(execve)
{
    char *none[] = {NULL};
    return outcome(f(way == GOOD ? "/" : "/no/such/program", none, none));
}

CALL(setuid)
{
    return outcome(f(way == GOOD ? getuid() : (uid_t)-1));
}

CALL(setreuid)
{
    return outcome(f(getuid(), way == GOOD ? (uid_t)-1 : geteuid()));
}

CALL(setresuid)
{
    return outcome(f((uid_t)-1, way == GOOD ? geteuid() : (uid_t)-1, (uid_t)-1));
}

CALL(seteuid)
{
    return outcome(f(way == GOOD ? geteuid() : (uid_t)-1));
}

CALL(setgid)
{
    return outcome(f(way == GOOD ? getgid() : (gid_t)-1));
}

CALL(setegid)
{
    return outcome(f(way == GOOD ? getegid() : (gid_t)-1));
}

CALL(setregid)
{
    return outcome(f(getgid(), way == GOOD ? (gid_t)-1 : getegid()));
}

CALL(setresgid)
{
    return outcome(f((gid_t)-1, way == GOOD ? getegid() : (gid_t)-1, (gid_t)-1));
}

CALL(setgroups)
{
    gid_t groups[256];
    int count = getgroups(256, groups);
    return outcome(f(way == GOOD && count >= 0 ? (size_t)count : SIZE_MAX, groups));
}

CALL(initgroups)
{
    gid_t groups[256];
    int count = getgroups(256, groups);
    struct outcome seen = outcome(f(way == GOOD ? "root" : "no such user", getgid()));
    if (seen.value == 0)
        setgroups((size_t)count, groups);
    return seen;
}

/* The limit as it is; then one whose soft half is above its hard one. */
#define LIMIT(hook, limit, get, ...)                                                                               \
    CALL(hook)                                                                                                     \
    {                                                                                                              \
        struct limit now, before;                                                                                  \
        get(RLIMIT_CORE, &now);                                                                                    \
        before = now;                                                                                              \
        if (way == BAD)                                                                                            \
            now.rlim_max = now.rlim_cur = 1, now.rlim_cur++;                                                       \
        struct outcome seen = outcome(f(__VA_ARGS__));                                                             \
        get(RLIMIT_CORE, &now);                                                                                    \
        seen.value = seen.value * 10 + (now.rlim_cur == before.rlim_cur && now.rlim_max == before.rlim_max);       \
        return seen;                                                                                               \
    }

LIMIT(setrlimit, rlimit, getrlimit, RLIMIT_CORE, &now)
LIMIT(setrlimit64, rlimit64, getrlimit64, RLIMIT_CORE, &now)
LIMIT(prlimit, rlimit, getrlimit, 0, RLIMIT_CORE, &now, &before)
LIMIT(prlimit64, rlimit64, getrlimit64, 0, RLIMIT_CORE, &now, &before)
