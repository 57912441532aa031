/*
 * signals.h - a command that runs until somebody ends it: signals are noted, and looked at where that is convenient.
 *
 * Process-wide; for the one thread that a command has.
 */
#ifndef PH_TOOLS_SIGNALS_H
#define PH_TOOLS_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

/** ph_signals_note() - @signal is noted from now on, and interrupts system calls that wait. One that is ignored (by
 * nohup, of a job in the background) stays so. */
void ph_signals_note(int signal);

/** ph_signals_take() - has @signal come since this was last asked? */
bool ph_signals_take(int signal);

/** ph_signals_end() - note SIGINT, SIGTERM and SIGHUP; ph_signals_ended(): has one of them come, ever? */
void ph_signals_end(void);
bool ph_signals_ended(void);

/**
 * ph_signals_wait() - until the monotonic time @until_ns, or until a noted signal comes or can be taken.
 * @fd: wake up when it has input or is closed, too; -1 for none.
 *
 * True if it has.
 */
bool ph_signals_wait(int64_t until_ns, int fd);

#endif
