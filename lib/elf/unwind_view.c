#include "elf/unwind_view.h"

#include <string.h>

void ph_unwind_view_over(struct ph_unwind_view *view, const struct ph_stack *stack, const struct ph_memory *memory)
{
    view->stack = stack;
    view->memory = memory;
    view->live_bytes = 0;
}

#define PAGE_BYTES 4096

static bool fill(struct ph_unwind_view *view, uint64_t from, uint64_t size_bytes)
{
    view->live_bytes = 0;
    if (!ph_memory_read(view->memory, from, view->bytes, size_bytes))
        return false;
    view->from = from;
    view->live_bytes = size_bytes;
    return true;
}

/* The stack pointer on, if that is near: what is needed next lies mostly above, and seldom much below. Behind the end of the stack there
 * may be nothing; if that is not known, the page ends where memory may. */
static bool read_around(struct ph_unwind_view *view, uint64_t address)
{
    const struct ph_stack *stack = view->stack;
    bool is_near = address - stack->low < PH_UNWIND_LIVE_BYTES / 2;
    uint64_t from = is_near ? stack->low : address - PH_UNWIND_LIVE_BYTES / 8, size_bytes = PH_UNWIND_LIVE_BYTES;
    if (address + sizeof(uint64_t) <= stack->high && stack->high - from < size_bytes)
        size_bytes = stack->high - from;
    return fill(view, from, size_bytes) || fill(view, address, PAGE_BYTES - address % PAGE_BYTES);
}

static bool has(const struct ph_unwind_view *view, uint64_t address, size_t size_bytes)
{
    uint64_t offset = address - view->from;
    return offset < view->live_bytes && view->live_bytes - offset >= size_bytes;
}

static bool read_live(struct ph_unwind_view *view, uint64_t address, size_t size_bytes, uint64_t *ret_value)
{
    if (!has(view, address, size_bytes) && (!read_around(view, address) || !has(view, address, size_bytes)))
        return false;
    *ret_value = 0;
    memcpy(ret_value, view->bytes + (address - view->from), size_bytes); /* little-endian */
    return true;
}

int ph_unwind_read(struct ph_unwind_view *view, uint64_t address, size_t size_bytes, uint64_t *ret_value)
{
    const struct ph_stack *stack = view->stack;
    uint64_t offset = address - stack->low;
    if (offset <= stack->size_bytes && size_bytes <= stack->size_bytes - offset) {
        *ret_value = 0;
        memcpy(ret_value, stack->bytes + offset, size_bytes); /* little-endian */
        return PH_UNWIND_GOES_ON;
    }
    if (stack->is_live)
        return read_live(view, address, size_bytes, ret_value) ? PH_UNWIND_GOES_ON : PH_UNWIND_BAD;
    return address >= stack->low && (!stack->high || address < stack->high) ? PH_UNWIND_CUT : PH_UNWIND_BAD;
}
