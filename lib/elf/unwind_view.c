#include "elf/unwind_view.h"

#include <string.h>

void ph_unwind_view_over(struct ph_unwind_view *view, const struct ph_stack *stack, const struct ph_memory *memory)
{
    view->stack = stack;
    view->memory = memory;
    view->page = 0;
}

static bool read_page(struct ph_unwind_view *view, uint64_t page)
{
    if (view->page == page)
        return true;
    view->page = 0;
    if (!page || !ph_memory_read(view->memory, page, view->bytes, sizeof(view->bytes)))
        return false;
    view->page = page;
    return true;
}

static bool read_live(struct ph_unwind_view *view, uint64_t address, size_t size_bytes, uint64_t *ret_value)
{
    uint8_t bytes[sizeof(*ret_value)] = {0};
    size_t done = 0;
    while (done < size_bytes) { /* of one page, most often */
        uint64_t offset = (address + done) % PH_UNWIND_PAGE_BYTES;
        size_t left = PH_UNWIND_PAGE_BYTES - (size_t)offset;
        size_t piece = size_bytes - done < left ? size_bytes - done : left;
        if (!read_page(view, address + done - offset))
            return false;
        memcpy(bytes + done, view->bytes + offset, piece);
        done += piece;
    }
    memcpy(ret_value, bytes, sizeof(bytes)); /* little-endian */
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
