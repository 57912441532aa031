#include "probe/last_thread.h"

#include "probe/thread.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define OWN_MAX 64
#define LOOKS   50 /* of a millisecond: another thread that has just ended is still there for a moment */

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

/* Links of this folder are threads; the main thread stays one until the last has ended. A bare clone() is seen here. */
static bool only_ours_are_left(unsigned own_count)
{
    struct stat facts;
    unsigned last = gettid() == getpid() ? 1 : 2;
    return stat("/proc/self/task", &facts) < 0 || facts.st_nlink <= 2 + own_count + last;
}

void ph_host_thread_ends(void)
{
    static const struct timespec moment = {.tv_nsec = 1000 * 1000};
    pid_t own[OWN_MAX];
    if (__atomic_sub_fetch(&host_count, 1, __ATOMIC_ACQ_REL) > 0 || __atomic_load_n(&uncounted, __ATOMIC_RELAXED))
        return;
    for (int i = 0; i < LOOKS; i++) {
        unsigned own_count = (unsigned)ph_own_tids(own, OWN_MAX);
        if (own_count == 0)
            return; /* then glibc does it */
        if (only_ours_are_left(own_count))
            exit(0);
        syscall(SYS_nanosleep, &moment, NULL);
    }
}
