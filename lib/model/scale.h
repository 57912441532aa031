/* scale.h - arithmetic on the values of a profile, in place. */
#ifndef PH_MODEL_SCALE_H
#define PH_MODEL_SCALE_H

#include "model/profile.h"

/** ph_round_saturating() - rounds half away from zero, held at the ends of int64_t; 0 for NaN. */
int64_t ph_round_saturating(double value);

/** ph_profile_scale() - multiply every value by @factor, ph_round_saturating(). */
void ph_profile_scale(struct ph_profile *profile, double factor);

/** ph_profile_negate() - exactly -1 times every value: for deltas. INT64_MIN saturates. */
void ph_profile_negate(struct ph_profile *profile);

/** ph_profile_scale_to_bytes() - sample types and the period in "kilobytes", "MB" or "GiB" become such in "bytes": what
 * compares profiles knows no other unit. pprof takes 1024 for the prefixes of both kinds. Errors: ph_profile_status(). */
void ph_profile_scale_to_bytes(struct ph_profile *profile);

/** ph_unbias() - the factor 1 / (1 - exp(-(bytes / count) / rate)): how many objects one sampled object of this
 * mean size stands for; 1 if the count or the bytes are 0, or the rate is at most 1 (every byte is sampled, or the
 * rate is unknown). Source: jemalloc doc_internal/PROFILING_INTERNALS.md. */
double ph_unbias(double count, double bytes, double rate_bytes);

#endif
