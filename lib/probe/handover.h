/*
 * handover.h - how a copy of the heir (heir.h) gets from our descriptor table into the host's, when the host first forks.
 *
 * Issue: a child is to find it in its table, but a host that never forks is to have nothing of ours in its own; and no thread can
 * put anything into another's table.
 * Solution: the forking thread asks our first thread, which listens for it at an abstract socket with a name that the kernel
 * gives (unix(7), autobind), for that moment only; it connects, and is sent the heir. Each makes sure of the other: the one by the
 * pid of who has connected, the other by the inode of what it was sent. So it does not matter who else connects, or
 * comes late.
 * Not pidfd_getfd(): it needs CAP_SYS_PTRACE under Docker's filter, and a main thread that lives.
 * Drawbacks: twice a new descriptor takes the host's lowest number for some microseconds. A host that has moved to
 * another network namespace since it began to listen gets none: PH_DEGRADED_HEIR. The host waits for our thread, bounded.
 */
#ifndef PH_PROBE_HANDOVER_H
#define PH_PROBE_HANDOVER_H

#include <stdbool.h>
#include <stdint.h>

enum ph_handover {
    PH_HANDOVER_NONE,   /* there is nothing to hand over: no window, or the host's table has it */
    PH_HANDOVER_READY,  /* our first thread waits to be asked */
    PH_HANDOVER_ASKED,  /* by one thread of the host; others wait for that */
    PH_HANDOVER_LISTEN, /* our thread does, and the other connects */
    PH_HANDOVER_OVER,   /* it was handed over, or will never be */
};

extern int ph_handover_stage; /* enum ph_handover; atomic; also a futex */

/** ph_handover_offer() - on our first thread, before the window opens: there may be something to give. ph_handover_end(): it does
 * not wait to be asked any more. */
void ph_handover_offer(void);
void ph_handover_end(void);

/** ph_handover_give() - on our first thread, when it was woken: whoever has asked gets it. System calls only, 1 s at most. */
void ph_handover_give(void);

/** ph_handover_take() - on a thread of the host, signals blocked: have it in the host's table. @wake lets our first thread call
 * ph_handover_give(). Takes no lock, allocates nothing, waits 1 s at most. */
void ph_handover_take(void (*wake)(void));

/** ph_handover_is_due() - does that have to be done? In a child made by a bare clone() that is another process's affair. */
static inline bool ph_handover_is_due(void)
{
    int stage = __atomic_load_n(&ph_handover_stage, __ATOMIC_RELAXED);
    return __builtin_expect(stage != PH_HANDOVER_NONE && stage != PH_HANDOVER_OVER, 0);
}

#endif
