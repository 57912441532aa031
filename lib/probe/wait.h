/*
 * wait.h - a thread of the host in a call that can wait: since when, from where, and whose signal has cut it short.
 *
 * Issue: SA_RESTART does not help epoll_wait(), poll(), select(), sleeping and their kin: our signal makes them fail with EINTR.
 * Solution: the handler tells whether it alone has ended the call; then the hook calls again, for what is left of the time. Calls
 * by which programs wait for signals, too, go on with all signals blocked until they are inside again (as with sigsuspend()):
 * so a signal of the host that comes in between ends them, as it would have.
 */
#ifndef PH_PROBE_WAIT_H
#define PH_PROBE_WAIT_H

#include "probe/guard.h"
#include "probe/let_in.h"
#include "probe/thread_table.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <ucontext.h>

/* Some milliseconds coarse, and a quarter of the cost. 0 is kept for "in no call". */
static inline uint64_t ph_wait_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec + 1;
}

/* One call, in its hook: a handler that runs meanwhile may make calls of its own, or leave this one by longjmp(). */
struct ph_wait {
    uint64_t since_ns; /* CLOCK_MONOTONIC_COARSE */
    uint64_t
        mask; /* valid if is_masked: the signals that were blocked before all were, as the kernel writes them */
    bool is_masked;
    int held; /* our signal, if it was not blocked before, and is now; else 0 */
};

/* Our signal, while it is sent to anybody; 0: it is not. atomic */
extern int ph_wait_held_signal;

/** ph_wait_hold(), ph_wait_release() - around what sends it; nests. After the first, no thread enters a call without seeing it. */
void ph_wait_hold(int number);
void ph_wait_release(void);

/** ph_wait_forked() - in a forked child: nobody sends it. */
void ph_wait_forked(void);

/**
 * ph_wait_hold_off() - from now until ph_wait_end() our signal waits, if it is sent: what it has to tell comes when the call is over.
 * Else one that comes while a handler of the host runs that blocks it, or just as it returns, looks as if it alone had ended the
 * call: the host's EINTR would be lost.
 */
void ph_wait_block_ours(struct ph_wait *wait);

static inline void ph_wait_hold_off(struct ph_wait *wait)
{
    struct ph_thread_slot *slot = ph_tls.slot;
    if (slot)
        __atomic_store_n(&slot->wait_holds, true, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* between processors: membarrier() in ph_wait_hold() */
    if (__builtin_expect(__atomic_load_n(&ph_wait_held_signal, __ATOMIC_RELAXED), 0))
        ph_wait_block_ours(wait);
}

/** ph_wait_held_mask() - @given by the host, NULL too, and ours, if it is held off. As it was given if it cannot be read. */
const sigset_t *ph_wait_held_mask(const struct ph_wait *wait, const sigset_t *given, sigset_t *buffer);

/** ph_wait_unblock_ours() - it comes now, if it has waited. Keeps errno. */
void ph_wait_unblock_ours(const struct ph_wait *wait);

/**
 * ph_wait_begin() - before a call that can wait. @frame: __builtin_frame_address(0) of the hook.
 * @call: the real function, if it is to go on atomically (ph_wait_mask()); else NULL.
 */
static inline struct ph_wait ph_wait_begin(void *frame, const void *call)
{
    struct ph_wait wait = {.since_ns = ph_wait_clock_ns()};
    struct ph_thread_slot *slot = ph_tls.slot;
    ph_tls.cut_short = ph_tls.is_masked = false;
    ph_tls.waits_in = call;
    ph_tls.waits_at = (uintptr_t)frame;
    if (slot) {
        __atomic_store_n(&slot->record.wait_frame, (uintptr_t)frame, __ATOMIC_RELAXED);
        __atomic_store_n(&slot->record.waits_since_ns, wait.since_ns, __ATOMIC_RELAXED);
    }
    return wait;
}

/** ph_wait_was_cut_short() - our signal alone made the call fail with EINTR: it is to go on. */
bool ph_wait_was_cut_short(struct ph_wait *wait);

/** ph_wait_goes_on() - did the call that has just returned @result fail because of our signal, and of nothing else? */
static inline bool ph_wait_goes_on(struct ph_wait *wait, long result)
{
    return __builtin_expect(result < 0 && errno == EINTR && ph_tls.cut_short, 0) && ph_wait_was_cut_short(wait);
}

/** ph_wait_never_restarts() - is it @fd for which the kernel restarts no call, whatever SA_RESTART says: a socket with a timeout, or a file of a
 * driver that tells EINTR itself (FUSE)? Keeps errno. */
bool ph_wait_never_restarts(int fd);

/** ph_wait_left_ns() - what is left of @timeout_ns, since the thread began to wait; 0 or more, late rather than early. */
int64_t ph_wait_left_ns(const struct ph_wait *wait, int64_t timeout_ns);

/** ph_wait_mask() - the signals that were blocked when the call was cut short; all are now, until ph_wait_end(). */
const sigset_t *ph_wait_mask(const struct ph_wait *wait, sigset_t *buffer);

/** ph_wait_unmask() - as they were. Keeps errno. */
void ph_wait_unmask(const struct ph_wait *wait);

/** ph_wait_end() - after the call; keeps errno. One that is left by cancellation or longjmp() does not come here: what it has noted is
 * believed only while the thread is blocked, and the next call overwrites it. */
static inline void ph_wait_end(const struct ph_wait *wait)
{
    struct ph_thread_slot *slot = ph_tls.slot;
    if (__builtin_expect(wait->is_masked, 0))
        ph_wait_unmask(wait);
    if (__builtin_expect(wait->held, 0))
        ph_wait_unblock_ours(wait);
    ph_tls.waits_in = NULL;
    if (slot) {
        __atomic_store_n(&slot->wait_holds, false, __ATOMIC_RELAXED);
        __atomic_store_n(&slot->record.waits_since_ns, 0, __ATOMIC_RELAXED);
    }
    int number = __atomic_load_n(&ph_wait_held_signal, __ATOMIC_RELAXED);
    if (__builtin_expect(number != ph_tls.looked_for, 0))
        ph_let_in(number);
}

/** ph_wait_interrupted_sig() - from the handler of our signal, first thing. */
void ph_wait_interrupted_sig(ucontext_t *context);

/** ph_wait_call_sig() - if @context is in the hook, and not in the call: the address of what it calls, and in @ret_frame its own frame;
 * else 0. */
uintptr_t ph_wait_call_sig(const ucontext_t *context, uintptr_t *ret_frame);

#endif
