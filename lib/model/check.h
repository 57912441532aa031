/* check.h - is a profile consistent? What readers promise and encoders rely on. */
#ifndef PH_MODEL_CHECK_H
#define PH_MODEL_CHECK_H

#include "base/error.h"
#include "model/profile.h"

/**
 * ph_profile_check() - 0 if every number in the profile names an existing entry, string 0 is "", there is at least
 * one sample type, and mappings have start <= limit; else -EINVAL with the first offence in @error; the sticky
 * status of the profile comes first.
 */
int ph_profile_check(const struct ph_profile *profile, struct ph_error *error);

#endif
