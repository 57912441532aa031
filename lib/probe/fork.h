/*
 * fork.h - fork() of the host: before it, nothing of ours is half done; after it, the child knows what it is.
 *
 * The child inherits memory as it is at that moment, and none of our threads. So a fork waits, bounded, for what a child
 * must not find half done (the loader's locks while the agent is opened, jemalloc's while a heap is dumped), and none of it
 * begins while a fork is under way.
 */
#ifndef PH_PROBE_FORK_H
#define PH_PROBE_FORK_H

#include <sys/types.h>

/** ph_fork_init() - from the constructor: register the handlers. */
void ph_fork_init(void);

/** ph_fork() - fork() itself, with signals blocked meanwhile. */
pid_t ph_fork(void);

/** ph_forks_hold(), ph_forks_release() - as in probe.h. */
void ph_forks_hold(void);
void ph_forks_release(void);

/** ph_park(), ph_unpark() - as in probe.h. */
void ph_park(void);
void ph_unpark(void);

#endif
