/*
 * signal.h - the one signal of ours: chosen free, unseen by the host.
 *
 * Issue: its default action ends the process, and one may be pending for a thread that blocks it long after it was sent.
 * Solution: it is chosen when it is first needed, among those the host has no handler for, and our handler then stays. What the
 * host asks and sets about that number (hook_signal.c) is kept beside: it finds what it would find without us, and signals
 * with that number that are not ours are handed on. If the host wants it for itself, the next use chooses another.
 */
#ifndef PH_PROBE_SIGNAL_H
#define PH_PROBE_SIGNAL_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** ph_signal_init() - from the constructor. @wished: by option; 0: any. */
void ph_signal_init(int wished);

/** ph_signal_acquire() - its number, with our handler installed. -ENOSPC if none is free. On a thread of ours, one at a time. */
int ph_signal_acquire(void);

/** ph_signal_holds() - is our handler still there? The host may replace it by a raw system call. */
bool ph_signal_holds(void);

/** ph_signal_is_ours() - has the number been one of ours, so that what the host does about it is kept beside? Async-signal-safe. */
bool ph_signal_is_ours(int number);

/** ph_signal_bit() - the number in use, as the kernel writes sets; 0: none. Async-signal-safe. */
uint64_t ph_signal_bit(void);

/** ph_signal_action() - sigaction() of the host about a number of ours. Async-signal-safe. */
int ph_signal_action(int number, const struct sigaction *action, struct sigaction *ret_before);

/** ph_signal_for_queue() - @set for a signalfd() of the host: without ours where it sweeps up every signal there is; where it names few,
 * the host wants the number for itself, and has it. */
const sigset_t *ph_signal_for_queue(const sigset_t *set, sigset_t *buffer);

/** ph_signal_hide_pending() - ours is not among what the host sees as pending. ph_signal_drain() - throw away what is pending of ours
 * for the calling thread, which blocks it. Both async-signal-safe. */
void ph_signal_hide_pending(sigset_t *pending);
void ph_signal_drain(void);

/** ph_signal_is_own() - was it sent by us? What sigwaitinfo() took from the queue, too. Async-signal-safe. */
bool ph_signal_is_own(const siginfo_t *info);

/** ph_signal_value() - what travels with one of ours: @payload, and a mark that it is. */
union sigval ph_signal_value(uint32_t payload);

/** ph_signal_send() - to one thread of this process. 0; -errno. */
int ph_signal_send(int number, pid_t tid, uint32_t payload);

/** ph_signal_is_blocked() - does that thread of this process block it now? False, too, where the kernel does not tell. */
bool ph_signal_is_blocked(int number, pid_t tid);

/** ph_signal_queue_left() - how many more signals can be queued and timers made by the processes of this user (RLIMIT_SIGPENDING); INT32_MAX
 * if the kernel does not tell. On a thread of ours. */
uint32_t ph_signal_queue_left(void);

#endif
