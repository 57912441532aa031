/* grown.h - small heap profiles and stacks, written as text: the callers first, "main;serve;parse". */
#ifndef PH_TESTS_GROWN_H
#define PH_TESTS_GROWN_H

#include "growth/trie.h"
#include "model/profile.h"

#include <stddef.h>
#include <stdint.h>

#define GROWN_RATE_BYTES 524288
#define GROWN_START_NS   INT64_C(1785000000000000000)

/** grown_heap() - an empty heap profile taken @seconds after GROWN_START_NS; without a time if negative. */
struct ph_profile *grown_heap(double seconds);

/** grown_mapping() - of 1 MiB with file offset 0x1000. A profile has the main binary first. */
uint32_t grown_mapping(struct ph_profile *profile, uint64_t start, const char *file, const char *build_id);

/** grown_location() - in @mapping (0 for none), of one function at @line; without a name if that is NULL. */
uint32_t grown_location(struct ph_profile *profile, uint32_t mapping, uint64_t address, const char *name,
                        int64_t line);

/**
 * grown_add() - @count objects of @size_bytes in use, twice as many allocated.
 * @stack: names, the callers first, in the first mapping if there is one; in "serve:12", 12 is the line.
 */
void grown_add(struct ph_profile *profile, const char *stack, int64_t count, int64_t size_bytes);

/** grown_sampled() - as many objects of 1 KiB as @sampled samples stand for. */
void grown_sampled(struct ph_profile *profile, const char *stack, int sampled);

/** grown_stack() - frames are letters, the outermost caller first: frame 0 is 'a'. Released by grown_stacks_free(). */
struct ph_trie_stack grown_stack(const char *letters, double base, double change);
void grown_stacks_free(void);
#define GROWN_LETTERS 26

/** grown_path() - frames as letters, in their order; in a buffer of its own until the next call. */
const char *grown_path(const uint32_t *frames, uint32_t count);

#endif
