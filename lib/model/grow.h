/*
 * grow.h - room in the flat arrays of this room.
 *
 * An array keeps its count only: its capacity follows from it (the next power of two, at least 16), so it grows
 * geometrically without a second number to carry. All growth must therefore go through ph_grow().
 */
#ifndef PH_MODEL_GROW_H
#define PH_MODEL_GROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int ph_grow_array(void *array, size_t entry_bytes, uint32_t count, size_t more); /* only for ph_grow() */

/**
 * ph_grow() - make room for @more entries behind @count.
 * @array: the address of the pointer to the entries, of @entry_bytes each; NULL while empty.
 *
 * 0; -ENOMEM; -EOVERFLOW if there would be more than UINT32_MAX - 1 entries. The array is intact in any case.
 */
static inline int ph_grow(void *array, size_t entry_bytes, uint32_t count, size_t more)
{
    /* One more between two powers of two always fits: no call for each frame of a dump with millions. */
    bool fits = more == 1 && count > 16 && count < UINT32_MAX / 2 && (count & (count - 1)) != 0;
    return fits ? 0 : ph_grow_array(array, entry_bytes, count, more);
}

#endif
