/* check_types.h - do profiles count the same? Who puts them together or compares them asks. Any thread. */
#ifndef PH_MODEL_CHECK_TYPES_H
#define PH_MODEL_CHECK_TYPES_H

#include "base/error.h"
#include "model/profile.h"

#include <stddef.h>

/**
 * ph_profile_check_types() - have all @count profiles the sample types and the period type of the first?
 * @names: what to call them in @error; NULL: "profile 1" and so on. 0 or -EINVAL with both counted up, cut if need be.
 */
int ph_profile_check_types(const struct ph_profile *const *profiles, const char *const *names, size_t count,
                           struct ph_error *error);

#endif
