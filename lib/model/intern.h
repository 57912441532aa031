/* intern.h - what profile.c and intern.c share, and arithmetic the whole room uses. */
#ifndef PH_MODEL_INTERN_H
#define PH_MODEL_INTERN_H

#include "model/profile.h"

#include <stdbool.h>
#include <stdint.h>

/** ph_profile_keep_status() - keep @status if it is the first failure. Is the profile still sound? */
bool ph_profile_keep_status(struct ph_profile *profile, int status);

/** ph_add_saturating() - a + b, held at the ends of int64_t. */
int64_t ph_add_saturating(int64_t a, int64_t b);

#endif
