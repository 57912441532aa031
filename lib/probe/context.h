/*
 * context.h - what a signal has interrupted: registers, and whether it was a system call. One sibling file for each architecture.
 */
#ifndef PH_PROBE_CONTEXT_H
#define PH_PROBE_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

/** ph_context_registers_sig() - into @ret_registers by their DWARF numbers (elf/unwind.h). */
void ph_context_registers_sig(const ucontext_t *context, uint64_t *ret_registers);

/** ph_context_pc_sig(), ph_context_sp_sig() - where it was, and its stack pointer. */
uintptr_t ph_context_pc_sig(const ucontext_t *context);
uintptr_t ph_context_sp_sig(const ucontext_t *context);

/** ph_context_at_call_sig() - @registers as at the first instruction of the function at @call, called by whoever called the function
 * whose frame address is @frame. */
void ph_context_at_call_sig(uint64_t *registers, uintptr_t call, uintptr_t frame);

/** ph_context_ends_call_sig() - it was in a system call that now returns EINTR. */
bool ph_context_ends_call_sig(const ucontext_t *context);

#endif
