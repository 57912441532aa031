/*
 * capture.h - what our signal handler does: it copies registers and stack of the thread it runs on, and returns.
 *
 * No unwinding, no lock, no allocation; some 3 us for 8 KiB. Captures of timers go into a ring, those that were asked for into a slot
 * of their own. Both are memory that no fork copies and that stays once it is mapped: a signal may come late.
 */
#ifndef PH_PROBE_CAPTURE_H
#define PH_PROBE_CAPTURE_H

#include "probe/probe.h"

#include <signal.h>

/** ph_capture_sig() - the handler of a signal of ours. @payload: PH_CAPTURE_BY_TIMER, or what ph_ask() has sent. */
#define PH_CAPTURE_BY_TIMER (UINT32_C(1) << 31)
void ph_capture_sig(uint32_t payload, const siginfo_t *info, void *context);

/** ph_ring_open() - room for captures of timers, @stack_bytes of stack each. 0; -ENOMEM. ph_ring_close() - none is made any more,
 * and what was not read is thrown away. ph_ring_counts() - since the opening. On threads of ours, one at a time. */
int ph_ring_open(size_t stack_bytes);
void ph_ring_close(void);
void ph_ring_counts(struct ph_sampling_counts *counts);

/** As in probe.h. */
bool ph_sampling_take(struct ph_capture *ret_capture);
void ph_sampling_give_back(const struct ph_capture *capture);
int ph_ask(pid_t tid);
int ph_asked(int ticket, struct ph_capture *ret_capture);
void ph_unask(int ticket);

/** ph_capture_forked() - in a forked child: the memory is not there. */
void ph_capture_forked(void);

#endif
