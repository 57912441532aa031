#include "server/profile_counts.h"

#include <stdatomic.h>

static atomic_uint_least64_t counts[PH_PROFILE_KINDS];

void ph_profile_counts_add(enum ph_profile_kind kind)
{
    atomic_fetch_add_explicit(&counts[kind], 1, memory_order_relaxed);
}

uint64_t ph_profile_counts_read(enum ph_profile_kind kind)
{
    return atomic_load_explicit(&counts[kind], memory_order_relaxed);
}

const char *ph_profile_kind_name(enum ph_profile_kind kind)
{
    static const char *const names[] = {
        [PH_PROFILE_HEAP] = "heap",       [PH_PROFILE_THREADCREATE] = "threadcreate",
        [PH_PROFILE_THREADS] = "threads", [PH_PROFILE_CPU] = "cpu",
        [PH_PROFILE_WALL] = "wall",
    };
    return names[kind];
}

void ph_profile_counts_forked(void)
{
    for (int i = 0; i < PH_PROFILE_KINDS; i++)
        atomic_store_explicit(&counts[i], 0, memory_order_relaxed);
}
