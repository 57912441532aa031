#include "probe/fork.h"

#include "base/clock.h"
#include "probe/activate.h"
#include "probe/allocator.h"
#include "probe/calm.h"
#include "probe/capture.h"
#include "probe/counters.h"
#include "probe/handover.h"
#include "probe/let_in.h"
#include "probe/load.h"
#include "probe/own_fd.h"
#include "probe/real.h"
#include "probe/thread.h"
#include "probe/timers.h"

#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

/* Longer no fork waits: opening the agent takes some 20 ms, a dump of 100,000 stacks 0.4 s. */
#define WAIT_NS (2 * PH_NS_PER_S)

/* Read-locked by what must not be cut in two, write-locked by a fork; forks come first, so a scraper cannot hold them up. */
static pthread_rwlock_t gate = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

/*
 * Issue: a handler of a signal that interrupts a fork and forks, too, waits for locks that its own thread has taken: the gate,
 * jemalloc's, and glibc's own, which it leaves alone only in a process with one thread.
 * Solution: no handler runs from the first to the last instruction of a fork. Where libc calls its own fork() (daemon()),
 * that holds from our handler before it to the one after it.
 */
static __thread struct {
    const struct ph_calm *hooked; /* fork() was called through the hook */
    struct ph_calm calm;
    bool under_way, holds_gate;
    unsigned nested_count; /* forks that handlers before this fork have made */
} forking __attribute__((tls_model("initial-exec")));

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
    if (ph_activation_is_filtered())
        return false; /* to ask might be the end */
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

static void count_wait(int64_t start_ns)
{
    PH_COUNT(forks_delayed);
    __atomic_fetch_add(&ph_counters.fork_wait_ns, (uint64_t)(ph_clock_monotonic_ns() - start_ns), __ATOMIC_RELAXED);
}

static bool wait_at_gate(void)
{
    int64_t start_ns = ph_clock_monotonic_ns(), end_ns = start_ns + WAIT_NS;
    struct timespec deadline = {end_ns / PH_NS_PER_S, end_ns % PH_NS_PER_S};
    bool open = pthread_rwlock_clockwrlock(&gate, CLOCK_MONOTONIC, &deadline) == 0;
    count_wait(start_ns);
    return open;
}

/* False if a window is opening still. It may wait for a lock that the forking thread holds: the loader's, where the constructor of
 * a library forks that is just being opened. So it is waited for once. */
static bool wait_for_start(void)
{
    static bool in_vain; /* atomic */
    int64_t start_ns = ph_clock_monotonic_ns();
    bool starts = __atomic_load_n(&ph_activation_state, __ATOMIC_RELAXED) == PH_STARTING;
    enum ph_activation state = ph_activation_settle(__atomic_load_n(&in_vain, __ATOMIC_RELAXED) ? 0 : WAIT_NS);
    bool settled = state != PH_STARTING && state != PH_STOPPING;
    if (starts)
        count_wait(start_ns);
    __atomic_store_n(&in_vain, !settled, __ATOMIC_RELAXED);
    return settled;
}

static void provide_heir(void)
{
    int64_t start_ns = ph_handover_is_due() ? ph_clock_monotonic_ns() : 0;
    if (ph_activation_provide_heir())
        count_wait(start_ns);
}

static void before_fork(void)
{
    bool settled = true;
    int saved_errno = errno;
    ph_own_fd_before_fork();
    if (ph_on_own_thread())
        return;
    if (__atomic_load_n(&ph_activation_state, __ATOMIC_ACQUIRE) != PH_IDLE && !ph_activation_is_filtered()) {
        settled = wait_for_start();
        PH_COUNT(forks);
    }
    if (forking.under_way) {
        forking.nested_count++;
        return;
    }
    forking.calm = forking.hooked ? *forking.hooked : ph_calm_begin();
    forking.under_way = true;
    provide_heir();
    forking.holds_gate = pthread_rwlock_trywrlock(&gate) == 0 || (settled && wait_at_gate());
    ph_allocator_before_fork(forking.holds_gate && is_only_thread());
    errno = saved_errno;
}

static void end_calm(void)
{
    if (!forking.under_way)
        return;
    forking.under_way = false;
    forking.nested_count = 0;
    if (!forking.hooked)
        ph_calm_end(&forking.calm);
}

static void in_forking_parent(void)
{
    if (forking.nested_count) {
        forking.nested_count--;
        return;
    }
    if (forking.under_way && forking.holds_gate) {
        ph_allocator_before_fork(
            false); /* a _Fork() of another thread has no handlers, but one of the same may follow */
        pthread_rwlock_unlock(&gate);
    }
    end_calm();
}

static void in_forked_child(void)
{
    gate = (pthread_rwlock_t)PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
    parked_count = 0;
    ph_allocator_before_fork(false);
    ph_allocator_forked();
    ph_probe.origin = getpid();
    ph_probe.started_ns = ph_clock_realtime_ns();
    ph_own_fd_after_fork();
    ph_threads_after_fork();
    ph_timers_forked();
    ph_capture_forked();
    ph_load_forked();
    ph_activation_forked(!forking.under_way || forking.calm.blocked);
    end_calm();
}

pid_t ph_fork(void)
{
    const struct ph_calm *outer = forking.hooked;
    ph_let_in_no_more();
    struct ph_calm calm = ph_calm_begin();
    forking.hooked = &calm;
    pid_t child = ph_real()->fork();
    forking.hooked = outer;
    ph_calm_end(&calm);
    return child;
}

void ph_fork_init(void)
{
    pthread_atfork(before_fork, in_forking_parent, in_forked_child);
}
