/*
 * unwind.h - the stack of the calling thread, frame by frame, with the rules of cfi.h kept in a cache.
 *
 * Why not libgcc alone: a server samples every half millisecond or less often, and by then its tables have left the
 * processor's caches: half of what a sample costs. Here a frame costs one line of the cache below.
 */
#ifndef PH_PROBE_UNWIND_H
#define PH_PROBE_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * ph_unwind() - at most @capacity return addresses, leaf first, without those in @low to @high (exclusive).
 *
 * false if a frame needs more than cfi.h understands, or modules go; then nothing is to be had from @ret_frames.
 * Lock-free; allocates nothing; any thread; async-signal-safe.
 */
bool ph_unwind(void **ret_frames, size_t capacity, uintptr_t low, uintptr_t high, size_t *ret_count);

/** ph_unwind_unload_begin() - before modules may go; ph_unwind_unload_end() afterwards. Nests; any thread. */
void ph_unwind_unload_begin(void);
void ph_unwind_unload_end(void);

#endif
