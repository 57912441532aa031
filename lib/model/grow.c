#include "model/grow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 16
#define COUNT_MAX      (UINT32_MAX - 1) /* UINT32_MAX is PH_INDEX_NONE */

static size_t capacity_for(size_t count)
{
    if (count <= FIRST_CAPACITY)
        return count ? FIRST_CAPACITY : 0;
    return (size_t)1 << (64 - __builtin_clzl(count - 1));
}

int ph_grow_array(void *array, size_t entry_bytes, uint32_t count, size_t more)
{
    if (more > COUNT_MAX - count)
        return -EOVERFLOW;
    size_t capacity = capacity_for(count + more), bytes;
    if (capacity == capacity_for(count))
        return 0;
    void *entries;
    memcpy(&entries, array, sizeof(entries)); /* the pointer's own type is not known here */
    entries = __builtin_mul_overflow(capacity, entry_bytes, &bytes) ? NULL : realloc(entries, bytes);
    if (!entries)
        return -ENOMEM;
    memcpy(array, &entries, sizeof(entries));
    return 0;
}
