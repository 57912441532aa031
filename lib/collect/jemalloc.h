/* jemalloc.h - asking the host's jemalloc: may it be sampled, what is in force, its statistics, give memory back. */
#ifndef PH_COLLECT_JEMALLOC_H
#define PH_COLLECT_JEMALLOC_H

#include "base/buf.h"
#include "base/error.h"
#include "model/profile.h"
#include "probe/probe.h"

/** ph_jemalloc_samples() - 0 if the heap is sampled; -ENOTSUP with the reason and the way out in @error. */
int ph_jemalloc_samples(const struct ph_probe *probe, struct ph_error *error);

/** ph_jemalloc_sample_bytes() - mean bytes between two samples. ph_jemalloc_allocated_bytes() - what the host holds now,
 * counted, not sampled. 0 where the allocator does not tell. */
uint64_t ph_jemalloc_sample_bytes(const struct ph_probe *probe);
uint64_t ph_jemalloc_allocated_bytes(const struct ph_probe *probe);

/** ph_jemalloc_purge() - flush this thread's cache, return every dirty page to the kernel. */
void ph_jemalloc_purge(const struct ph_probe *probe);

/** ph_jemalloc_describe() - version and settings in force, as comments of a profile. */
void ph_jemalloc_describe(const struct ph_probe *probe, struct ph_profile *profile);

#endif
