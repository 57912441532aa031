/*
 * activate.h - from a program that merely carries the probe to a server with an open window.
 *
 *   INERT ---constructor---> IDLE ---listen(), accept(), init---> STARTING ---> RUNNING or FAILED
 *                             ^                                                   |
 *                             +----------- STOPPING <---- shutdown ---------------+
 *   A forked child of a RUNNING process is DORMANT: it has none of our threads, but what is kept for it (heir.h) lets it join
 *   the family. It does so, by STARTING, at the first call of the host that can wait (hook_wait.c): a helper that only execs
 *   never does, and fork() itself stays quick. The child of a process in any other state but IDLE is SILENT.
 *
 * The agent is opened on a thread of its own, so that the host does not wait for it.
 */
#ifndef PH_PROBE_ACTIVATE_H
#define PH_PROBE_ACTIVATE_H

#include "base/clock.h"
#include "probe/guard.h"
#include "probe/probe.h"

#define PH_START_WAIT_NS (30 * PH_NS_PER_S) /* a full disk, a slow resolver: longer nobody waits for a start */

enum ph_activation {
    PH_INERT, /* before the constructor, PORTHOLE_START=off, or AT_SECURE */
    PH_IDLE,
    PH_STARTING,
    PH_RUNNING,
    PH_STOPPING,
    PH_FAILED,
    PH_DORMANT, /* a forked child of a process with a window */
    PH_SILENT,  /* a forked child of a process that had failed, or was just closing */
};

extern int ph_activation_state; /* enum ph_activation; atomic; also a futex */
extern struct ph_probe ph_probe;
extern struct ph_options ph_probe_options;

/** ph_activation_init() - from the constructor: @environment is what the kernel passed. */
void ph_activation_init(char *const *environment);

/** ph_activation_claim() - IDLE or DORMANT -> STARTING: false if somebody was faster. Who got it may set the options, and then
 * calls ph_activation_begin(), or ph_activation_unclaim(): back to what it was. */
bool ph_activation_claim(void);
void ph_activation_unclaim(void);

/** ph_activation_begin() - make the thread that does the rest. 0; -EAGAIN, -ENOMEM if there is none (then FAILED, and
 * said). */
int ph_activation_begin(void);

/** ph_activation_settle() - wait while STARTING or STOPPING, at most @timeout_ns. The state afterwards; SILENT in a child
 * made by a bare clone(), whose state is a copy of another process's. */
enum ph_activation ph_activation_settle(int64_t timeout_ns);

/** ph_activation_is_foreign() - is the state another process's? In a child made by vfork(), which shares its parent's memory, by
 * _Fork() or by a bare clone(). Async-signal-safe. */
bool ph_activation_is_foreign(void);

/** ph_activation_wait_apart() - the host is about to change its user or to replace its stderr: wait, bounded, until the thread
 * that starts has left the host's root and descriptors and made the threads it cannot do without. Nothing if none starts. */
void ph_activation_wait_apart(const struct ph_guard *guard);

/** ph_activation_before_change() - the same, for a call that glibc carries out on every thread and for which the kernel asks
 * for @capability: closes the window, and says so, if ours would get another answer than the calling thread. */
void ph_activation_before_change(const struct ph_guard *guard, unsigned capability);

/** ph_activation_before_jail() - the host is about to change its root or to limit its threads, as servers do before they
 * serve: a forked child that sleeps wakes now, and what it will need is made first. */
void ph_activation_before_jail(const struct ph_guard *guard);

/** ph_activation_filtered() - a filter that kills for system calls now binds the calling thread, and what it forks: no window
 * will open in either. One that is open stays. No system call. Not in a vfork child. */
void ph_activation_filtered(void);

/** ph_activation_is_filtered() - is there such a filter? */
bool ph_activation_is_filtered(void);

/** ph_activation_result() - what the last start came to: 0 or a negative errno. */
int ph_activation_result(void);

/** ph_deactivate() - RUNNING -> STOPPING -> IDLE: close the endpoint; the thread that opened it does. Waits for a start
 * under way first. Returns when it is closed and our threads have ended, and true if this call closed it. */
bool ph_deactivate(void);

/** ph_activation_provide_heir() - the calling thread of the host is about to fork, signals blocked: if the window is open and this
 * is the first time, what children inherit is put into the host's table (handover.h). True if it had to wait for that, 1 s at
 * most; else one load. Not where a filter forbids system calls. */
bool ph_activation_provide_heir(void);

/** ph_activation_forked() - in a forked child, on its one thread, which was @perhaps_in_handler of a signal when it forked. */
void ph_activation_forked(bool perhaps_in_handler);

void ph_wake(void);

/** ph_wake_to_wait() - the host is about to wait, on a thread of its own: if this is a forked child that sleeps, it wakes. */
static inline void ph_wake_to_wait(void)
{
    if (__builtin_expect(__atomic_load_n(&ph_activation_state, __ATOMIC_RELAXED) == PH_DORMANT, 0))
        ph_wake();
}

void ph_activate_listener(const struct ph_guard *guard, int fd);

static inline bool ph_is_idle(void)
{
    return __builtin_expect(__atomic_load_n(&ph_activation_state, __ATOMIC_RELAXED) == PH_IDLE, 0);
}

/** ph_activate_server() - the host listens on @fd, or has it from somebody who did: start if that is what the user asked for. */
static inline void ph_activate_server(const struct ph_guard *guard, int fd)
{
    if (ph_is_idle())
        ph_activate_listener(guard, fd);
}

#endif
