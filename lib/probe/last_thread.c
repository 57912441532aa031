#include "probe/last_thread.h"

#include "probe/thread.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define OWN_MAX 64
#define LOOKS   1000 /* of a millisecond: another thread that has just ended is still there for a moment */

static int host_count = 1; /* atomic: the main thread */
static bool uncounted;     /* atomic */

void ph_host_thread_begins(void)
{
    __atomic_fetch_add(&host_count, 1, __ATOMIC_RELAXED);
}

void ph_host_thread_failed(void)
{
    __atomic_fetch_sub(&host_count, 1, __ATOMIC_RELAXED);
}

void ph_host_thread_uncounted(void)
{
    __atomic_store_n(&uncounted, true, __ATOMIC_RELAXED);
}

void ph_host_threads_forked(void)
{
    host_count = 1;
    uncounted = false;
}

enum verdict {
    NOBODY, /* is left: glibc ends the program */
    OURS,   /* are left, and nobody else */
    UNKNOWN,
};

/* Links of this folder are threads; the main thread stays one until the last has ended. A bare clone() is seen here, and so is a
 * thread of ours that has not begun to run yet, of which we have no record. */
static enum verdict who_is_left(void)
{
    struct stat facts;
    pid_t own[OWN_MAX];
    unsigned own_count = (unsigned)ph_own_tids(own, OWN_MAX), last = gettid() == getpid() ? 1 : 2;
    if (stat("/proc/self/task", &facts) < 0)
        return own_count ? OURS : NOBODY;
    unsigned count = (unsigned)facts.st_nlink - 2;
    return count <= last ? NOBODY : count <= last + own_count ? OURS : UNKNOWN;
}

void ph_host_thread_ends(void)
{
    static const struct timespec moment = {.tv_nsec = 1000 * 1000};
    enum verdict verdict = UNKNOWN;
    if (__atomic_sub_fetch(&host_count, 1, __ATOMIC_ACQ_REL) > 0 || __atomic_load_n(&uncounted, __ATOMIC_RELAXED))
        return;
    ph_tls.inside = true; /* what other destructors still call wakes nobody */
    for (int i = 0; verdict == UNKNOWN && i < LOOKS; i++) {
        verdict = who_is_left();
        if (verdict == UNKNOWN)
            syscall(SYS_nanosleep, &moment, NULL);
    }
    if (verdict == OURS)
        exit(0);
}
