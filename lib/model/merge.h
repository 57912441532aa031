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

#include <stddef.h>

/**
 * ph_profile_check_types() - have all @count profiles the sample types and the period type of the first?
 * @names: what to call them in @error; NULL: "profile 1" and so on. 0 or -EINVAL with both counted up, cut if need be.
 */
int ph_profile_check_types(const struct ph_profile *const *profiles, const char *const *names, size_t count,
                           struct ph_error *error);

/**
 * ph_profile_merge() - a new profile with the samples of all @count inputs.
 *
 * All inputs must have the same sample types and period type: else -EINVAL, naming both. Times: the earliest
 * time, the sum of durations, the largest period. Samples that are zero in every value are left out.
 * Comments are joined, each once. Inputs are unchanged. -ENOMEM.
 */
int ph_profile_merge(const struct ph_profile *const *profiles, size_t count, struct ph_profile **ret_profile,
                     struct ph_error *error);

#endif
