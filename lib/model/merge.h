/*
 * merge.h - several profiles into one. Source of the rules: google/pprof profile/merge.go.
 *
 * Mappings are the same if size (rounded up to 4 KiB), offset and build id (else file) agree; locations then
 * agree by their offset in the mapping, functions by name and file, so profiles of different processes with
 * different load addresses merge.
 */
#ifndef PH_MODEL_MERGE_H
#define PH_MODEL_MERGE_H

#include "base/error.h"
#include "model/profile.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * ph_profile_merge() - a new profile with the samples of all @count inputs.
 *
 * All inputs must have the same sample types and period type: else -EINVAL, naming both. Times: the earliest
 * time, the sum of durations, the largest period. Samples that are zero in every value are left out.
 * Comments are joined, each once. Inputs are unchanged. -ENOMEM.
 */
int ph_profile_merge(const struct ph_profile *const *profiles, size_t count, struct ph_profile **ret_profile,
                     struct ph_error *error);

/* Profiles one by one, so that not all of them need be in memory at once. */
struct ph_merge;

/** ph_merge_new() - nothing yet. NULL if memory is out. Free with ph_merge_finish() or ph_merge_free(); NULL is fine. */
struct ph_merge *ph_merge_new(void);
void ph_merge_free(struct ph_merge *merge);

/**
 * ph_merge_add() - the samples of one more profile; @key: a label that each of them gets, with @text; NULL for none.
 * Not if it has a label of that key already. 0; -EINVAL if it has other types than the first; -ENOMEM (for good).
 */
int ph_merge_add(struct ph_merge *merge, const struct ph_profile *profile, const char *key, const char *text,
                 struct ph_error *error);

/** ph_merge_profile() - what there is so far: borrowed, and not compact yet. Its locations may be given names: those that
 * are added without any later are still found to be the same. */
struct ph_profile *ph_merge_profile(const struct ph_merge *merge);

/** ph_merge_finish() - the result, as it is: equal mappings are one, but samples may be zero. NULL if memory was out. */
struct ph_profile *ph_merge_finish(struct ph_merge *take_merge);

#endif
