#include "probe/fork.h"

#include "base/clock.h"
#include "probe/activate.h"
#include "probe/allocator.h"
#include "probe/counters.h"
#include "probe/load.h"
#include "probe/own_fd.h"
#include "probe/thread.h"

#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

/* Longer no fork waits: opening the agent takes some 20 ms, a dump of 100,000 stacks 0.4 s. */
#define WAIT_NS (2 * PH_NS_PER_S)

/* Read-locked by what must not be cut in two, write-locked by a fork; forks come first, so a scraper cannot hold them up. */
static pthread_rwlock_t gate = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static __thread bool holds_gate __attribute__((tls_model("initial-exec")));

/* Of our threads, those that only wait. None stops to under the gate's lock, so that a fork may rely on what it counted. */
static unsigned parked_count; /* atomic */

void ph_park(void)
{
    if (!ph_tls.parks)
        ph_allocator_uncache();
    ph_tls.parks = true;
    __atomic_fetch_add(&parked_count, 1, __ATOMIC_RELEASE);
}

void ph_unpark(void)
{
    pthread_rwlock_rdlock(&gate);
    __atomic_fetch_sub(&parked_count, 1, __ATOMIC_RELEASE);
    pthread_rwlock_unlock(&gate);
}

/* The kernel counts every thread of the process as a link of this folder (proc_task_getattr() in Linux): also those that nobody
 * told us of, and those that are about to end. */
static bool is_only_thread(void)
{
    struct stat facts;
    unsigned parked = __atomic_load_n(&parked_count, __ATOMIC_ACQUIRE);
    return stat("/proc/self/task", &facts) == 0 && facts.st_nlink == 2 + 1 + parked;
}

void ph_forks_hold(void)
{
    pthread_rwlock_rdlock(&gate);
}

void ph_forks_release(void)
{
    pthread_rwlock_unlock(&gate);
}

static bool wait_at_gate(void)
{
    int64_t start_ns = ph_clock_monotonic_ns(), end_ns = start_ns + WAIT_NS;
    struct timespec deadline = {end_ns / PH_NS_PER_S, end_ns % PH_NS_PER_S};
    bool open = pthread_rwlock_clockwrlock(&gate, CLOCK_MONOTONIC, &deadline) == 0;
    PH_COUNT(forks_delayed);
    __atomic_fetch_add(&ph_counters.fork_wait_ns, (uint64_t)(ph_clock_monotonic_ns() - start_ns), __ATOMIC_RELAXED);
    return open;
}

static void before_fork(void)
{
    int saved_errno = errno;
    ph_own_fd_before_fork();
    if (ph_on_own_thread())
        return;
    if (__atomic_load_n(&ph_activation_state, __ATOMIC_ACQUIRE) != PH_IDLE) {
        ph_activation_settle(WAIT_NS);
        PH_COUNT(forks);
    }
    holds_gate = pthread_rwlock_trywrlock(&gate) == 0 || wait_at_gate();
    ph_allocator_before_fork(holds_gate && is_only_thread());
    errno = saved_errno;
}

static void in_forking_parent(void)
{
    if (!holds_gate)
        return;
    holds_gate = false;
    ph_allocator_before_fork(
        false); /* a _Fork() of another thread has no handlers, but one of the same may follow */
    pthread_rwlock_unlock(&gate);
}

static void in_forked_child(void)
{
    gate = (pthread_rwlock_t)PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
    holds_gate = false;
    parked_count = 0;
    ph_allocator_before_fork(false);
    ph_probe.origin = getpid();
    ph_probe.started_ns = ph_clock_realtime_ns();
    ph_own_fd_after_fork();
    ph_threads_after_fork();
    ph_load_forked();
    ph_activation_forked();
}

void ph_fork_init(void)
{
    pthread_atfork(before_fork, in_forking_parent, in_forked_child);
}
