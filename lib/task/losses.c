#include "task/losses.h"

#define NUMBERS (sizeof(struct ph_sampling_counts) / sizeof(uint64_t))

static struct ph_sampling_counts sums; /* each number by itself, atomic */

void ph_losses_add(const struct ph_sampling_counts *counts)
{
    const uint64_t *from = (const uint64_t *)counts;
    for (size_t i = 0; i < NUMBERS; i++)
        __atomic_fetch_add((uint64_t *)&sums + i, from[i], __ATOMIC_RELAXED);
}

struct ph_sampling_counts ph_losses_read(void)
{
    struct ph_sampling_counts copy;
    for (size_t i = 0; i < NUMBERS; i++)
        ((uint64_t *)&copy)[i] = __atomic_load_n((uint64_t *)&sums + i, __ATOMIC_RELAXED);
    return copy;
}

void ph_losses_forked(void)
{
    for (size_t i = 0; i < NUMBERS; i++)
        __atomic_store_n((uint64_t *)&sums + i, 0, __ATOMIC_RELAXED);
}
