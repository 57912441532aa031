/*
 * unwind_view.h - the stack memory that one run of the unwinder sees: the copy, and what lies outside it if the thread
 * does not run meanwhile. Never faults. One thread at a time.
 */
#ifndef PH_ELF_UNWIND_VIEW_H
#define PH_ELF_UNWIND_VIEW_H

#include "elf/memory.h"
#include "elf/unwind.h"

#define PH_UNWIND_GOES_ON    (-1) /* what steps return, besides enum ph_unwind_end */
#define PH_UNWIND_LIVE_BYTES 4096 /* of a live stack that are read at once: most stacks are not larger */

struct ph_unwind_view {
    const struct ph_stack *stack;
    const struct ph_memory *memory;
    uint64_t from; /* where the bytes of the live stack begin that were read last */
    size_t live_bytes;
    uint8_t bytes[PH_UNWIND_LIVE_BYTES];
};

/** ph_unwind_view_over() - nothing is read yet. The bytes stay as they are: they are many, and seldom needed. */
void ph_unwind_view_over(struct ph_unwind_view *view, const struct ph_stack *stack, const struct ph_memory *memory);

/** ph_unwind_read() - @size_bytes (1 to 8) at @address as a number. PH_UNWIND_GOES_ON; PH_UNWIND_CUT if the thread's stack
 * goes on there, but not its copy; PH_UNWIND_BAD. */
int ph_unwind_read(struct ph_unwind_view *view, uint64_t address, size_t size_bytes, uint64_t *ret_value);

static inline int ph_unwind_word(struct ph_unwind_view *view, uint64_t address, uint64_t *ret_value)
{
    const struct ph_stack *stack = view->stack;
    uint64_t offset = address - stack->low;
    if (__builtin_expect(offset > stack->size_bytes || stack->size_bytes - offset < sizeof(*ret_value), 0))
        return ph_unwind_read(view, address, sizeof(*ret_value), ret_value);
    __builtin_memcpy(ret_value, stack->bytes + offset, sizeof(*ret_value));
    return PH_UNWIND_GOES_ON;
}

#endif
