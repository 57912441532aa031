/*
 * guard.h - on whose thread are we, and are we inside Porthole already?
 *
 * A hook calls the real function first and enters only to take its note: so a blocking call that is left by
 * cancellation, longjmp or pthread_exit leaves no guard behind. The guard keeps the host's errno. What records
 * takes the guard as a parameter, so that calling it unguarded does not compile.
 */
#ifndef PH_PROBE_GUARD_H
#define PH_PROBE_GUARD_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

struct ph_thread_slot;

/* Small, and initial-exec: dynamic TLS allocates on first touch, inside malloc that is endless recursion. */
struct ph_tls {
    bool inside;              /* this thread is in Porthole's code */
    bool own;                 /* this thread is Porthole's */
    bool apart;               /* … and has left the host's descriptor table (apart.h) */
    bool parks;               /* … and has parked before (fork.h) */
    bool sampled;             /* it has taken a heap sample */
    unsigned char end_rounds; /* of a thread that ends: rounds of destructors */
    uint32_t label_set;       /* of this thread; 0: none. Read by the signal handler and by heap samples */
    bool cut_short;           /* our signal alone has ended the last system call that failed with EINTR (wait.h) */
    bool is_masked;           /* … and has left all signals blocked */
    bool holds;               /* our signal is blocked by a hook, and comes when the call is over */
    bool switches_stacks;     /* this thread has waited on a stack that is not its own */
    int looked_for;       /* our signal: this thread has looked whether the host blocks it (let_in.h); 0: none */
    int let_in;           /* … it does, and it comes through nevertheless */
    const void *waits_in; /* the real function the thread waits in, if that goes on atomically */
    uintptr_t waits_at;   /* the frame of the hook */
    uint64_t mask_before; /* valid while is_masked: what was blocked, as the kernel writes it */
    struct ph_thread_slot *slot;
};

extern __thread struct ph_tls ph_tls __attribute__((tls_model("initial-exec"), visibility("hidden")));

struct ph_guard {
    int host_errno;
};

static inline bool ph_on_own_thread(void)
{
    return ph_tls.own;
}

/** ph_guard_enter() - false, and nothing to leave, on a thread of ours or inside Porthole: then just pass through. */
static inline bool ph_guard_enter(struct ph_guard *guard)
{
    if (ph_tls.inside || ph_tls.own)
        return false;
    guard->host_errno = errno;
    ph_tls.inside = true;
    return true;
}

/* Around a real function that is called inside the guard: it sees the host's errno, and what it leaves there is the
 * host's again. */
static inline void ph_guard_lend_errno(const struct ph_guard *guard)
{
    errno = guard->host_errno;
}

static inline void ph_guard_take_errno(struct ph_guard *guard)
{
    guard->host_errno = errno;
}

static inline void ph_guard_leave(const struct ph_guard *guard)
{
    ph_tls.inside = false;
    errno = guard->host_errno;
}

#endif
