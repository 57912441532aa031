/*
 * heap.h - the live heap of this process as a profile: dump, read, name.
 *
 * jemalloc dumps into a memfd (a pipe would let the reader's pace hold jemalloc's locks); model/jeheap_read reads
 * it; elf names it. Dumps are serialised: a second caller waits for the first. Only on threads of ours, or through
 * porthole_heap_profile_write().
 */
#ifndef PH_COLLECT_HEAP_H
#define PH_COLLECT_HEAP_H

#include "base/buf.h"
#include "base/error.h"
#include "elf/modules.h"
#include "model/profile.h"
#include "probe/probe.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * ph_heap_collect() - a new profile in @ret_profile, symbolised, with time, mappings, build ids and comments.
 * @gc: first flush thread caches and purge dirty pages, so that what is free is seen as free.
 *
 * Allocator and Porthole frames are stripped by mapping, so that the leaf is the host's own code. Samples of memory that was
 * allocated before this process was forked have the label origin=inherited (model/labels.h).
 * 0; -ENOTSUP if the allocator cannot be sampled or sampling is off: @error names the owner and the way out;
 * -EMFILE, -ENOSYS, -ENOSPC if there was nowhere to dump to; -ENOMEM; -EIO if the dump was cut short.
 */
int ph_heap_collect(const struct ph_probe *probe, bool gc, struct ph_profile **ret_profile, struct ph_error *error);

/**
 * ph_heap_collect_bare() - the same as a part of the family's: without names, which are looked up once for all, and with the
 * label origin_pid on every sample, so that what several hold can be counted once.
 * @ret_modules: what was mapped, to name it by. NULL if another process names it: then mappings that no stack runs through are
 * left out.
 */
int ph_heap_collect_bare(const struct ph_probe *probe, bool gc, struct ph_modules *ret_modules,
                         struct ph_profile **ret_profile, struct ph_error *error);

/** ph_heap_delta() - @later minus @earlier for every value, in a new profile.
 * @duration_ns: between the two, by a clock that nobody sets. */
int ph_heap_delta(const struct ph_profile *earlier, const struct ph_profile *later, int64_t duration_ns,
                  struct ph_profile **ret_delta, struct ph_error *error);

/** ph_heap_forked() - in a forked child: a dump that another thread was making is no longer made. */
void ph_heap_forked(void);

struct ph_heap_state {
    struct ph_error unsampled; /* code 0 if the heap is sampled; else why not, and the way out */
    uint64_t sample_bytes;     /* mean bytes between two samples; 0 if not sampled */
    uint64_t allocated_bytes;  /* what the host holds, by the allocator's own count; 0 if it does not tell */
};

/** ph_heap_state() - for a person: is the heap sampled, how finely, how large is it? No dump: microseconds. */
struct ph_heap_state ph_heap_state(const struct ph_probe *probe);

/** ph_heap_statistics() - jemalloc's own statistics as "# …" lines: the footer of `debug=1`. Nothing if the
 * allocator offers none. */
void ph_heap_statistics(const struct ph_probe *probe, struct ph_buf *out);

#endif
