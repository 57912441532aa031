/*
 * activate.h - from a program that merely carries the probe to a server with an open window.
 *
 *   INERT ---constructor---> IDLE ---listen(), accept(), init---> STARTING ---> RUNNING or FAILED
 *                             ^                                                   |
 *                             +----------- STOPPING <---- shutdown ---------------+
 *   In a forked child everything but IDLE becomes SILENT.
 *
 * The agent is opened on a thread of its own, so that the host does not wait for it.
 */
#ifndef PH_PROBE_ACTIVATE_H
#define PH_PROBE_ACTIVATE_H

#include "probe/guard.h"
#include "probe/probe.h"

enum ph_activation {
    PH_INERT, /* before the constructor, PORTHOLE_START=off, or AT_SECURE */
    PH_IDLE,
    PH_STARTING,
    PH_RUNNING,
    PH_STOPPING,
    PH_FAILED,
    PH_SILENT, /* a forked child of a process that was more than idle */
};

extern int ph_activation_state; /* enum ph_activation; atomic; also a futex */
extern struct ph_probe ph_probe;
extern struct ph_options ph_probe_options;

/** ph_activation_init() - from the constructor: @environment is what the kernel passed. */
void ph_activation_init(char *const *environment);

/** ph_activate() - IDLE -> STARTING and a thread that does the rest. 0, also if somebody else was faster; -EAGAIN
 * or -ENOMEM if no thread could be made (then FAILED, and said). */
int ph_activate(void);

/** ph_activation_settle() - wait while STARTING or STOPPING, at most @timeout_ns. The state afterwards. */
enum ph_activation ph_activation_settle(int64_t timeout_ns);

/** ph_activation_wait_apart() - the host is about to change its root or its user: wait, bounded, until the thread that
 * starts has left its root and made the threads it cannot do without. Nothing if none starts. */
void ph_activation_wait_apart(const struct ph_guard *guard);

/** ph_activation_result() - what the last start came to: 0 or a negative errno. */
int ph_activation_result(void);

/** ph_deactivate() - RUNNING -> STOPPING -> IDLE: close the endpoint; the thread that opened it does. Returns when it is
 * closed. Only by porthole_shutdown(). */
void ph_deactivate(void);

void ph_activate_listener(const struct ph_guard *guard, int fd);

/** ph_activate_server() - the host listens on @fd, or accepted from it: start if that is what the user asked for. */
static inline void ph_activate_server(const struct ph_guard *guard, int fd)
{
    if (__builtin_expect(__atomic_load_n(&ph_activation_state, __ATOMIC_RELAXED) == PH_IDLE, 0))
        ph_activate_listener(guard, fd);
}

#endif
