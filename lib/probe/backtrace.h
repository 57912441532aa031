/*
 * backtrace.h - the stack of the calling thread, on the host's thread, in normal code.
 *
 * By unwind.h; what that cannot walk, by libgcc's unwinder: lock-free since glibc 2.35 (_dl_find_object). libunwind takes
 * loader locks and may allocate, so it is never used here. Not async-signal-safe.
 */
#ifndef PH_PROBE_BACKTRACE_H
#define PH_PROBE_BACKTRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** ph_backtrace() - at most @capacity return addresses, leaf first, without frames of Porthole. The count. */
size_t ph_backtrace(void **ret_frames, size_t capacity);

/** ph_backtrace_suspend() - the host registers unwinding tables (hook_frames.c): until as many calls of ph_backtrace_resume(), ph_backtrace() finds nothing, on no thread. */
void ph_backtrace_suspend(void);
void ph_backtrace_resume(void);

/* Where a signal has interrupted the calling thread: the innermost handler that runs. All zero: none does. */
struct ph_interruption {
    uintptr_t address, frame;
};

#define PH_INTERRUPTION_UNKNOWN ((struct ph_interruption){UINTPTR_MAX, UINTPTR_MAX})

/** ph_interruption_now() - PH_INTERRUPTION_UNKNOWN if that cannot be told. */
struct ph_interruption ph_interruption_now(void);

/** ph_may_be_in_handler() - does a handler run on the calling thread? @unknown where libgcc would take a lock to tell. One whose code has no
 * tables is not seen. */
bool ph_may_be_in_handler(bool unknown);

/** ph_backtrace_warm() - let libgcc set up what it sets up on first use, while nobody waits. */
void ph_backtrace_warm(void);

/** ph_text_range() - where the probe's own code lies; high is exclusive. */
void ph_text_range(uintptr_t *ret_low, uintptr_t *ret_high);

#endif
