/*
 * timers.h - a timer on the CPU clock of every thread of the host, whose signals have it captured.
 *
 * Why one for each: the timer of the process picks a thread by chance and tells at most 250 % of CPU (golang#14434, golang#35057).
 * Threads that begin meanwhile make their own, 2 us; those that end delete it. What no hook sees (a bare clone()) is found by the agent.
 */
#ifndef PH_PROBE_TIMERS_H
#define PH_PROBE_TIMERS_H

#include "probe/probe.h"
#include "probe/thread_table.h"

/** As in probe.h. */
int ph_sampling_begin(unsigned hz, size_t stack_bytes);
int ph_sampling_arm(pid_t tid);
bool ph_sampling_check(void);
void ph_sampling_end(struct ph_sampling_counts *ret_counts);

/** ph_timers_slot_begins() - before the thread's id stands in its slot. ph_timers_thread_begins() - when it does. ph_timers_thread_ends().
 * All on the thread of the host whose slot that is. */
void ph_timers_slot_begins(struct ph_thread_slot *slot);
void ph_timers_thread_begins(struct ph_thread_slot *slot);
void ph_timers_thread_ends(struct ph_thread_slot *slot);

/** ph_timers_slot_of() - of the registry; NULL for a thread it does not know. */
struct ph_thread_slot *ph_timers_slot_of(pid_t tid);

/** ph_timers_may_ask() - false: that thread must get no signal. If true, ph_timers_has_asked() follows. On a thread of ours. */
bool ph_timers_may_ask(struct ph_thread_slot *slot);
void ph_timers_has_asked(struct ph_thread_slot *slot);

/** ph_timers_shun() - on the thread whose slot it is: from now on no signal of ours is sent to it; one may wait already. */
void ph_timers_shun(struct ph_thread_slot *slot);

/** ph_timers_forked() - in a forked child: it has none of them. */
void ph_timers_forked(void);

#endif
