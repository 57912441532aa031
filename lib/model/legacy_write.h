/*
 * legacy_write.h - a heap profile as text: for `debug=1`, for jeprof, for a person with curl.
 */
#ifndef PH_MODEL_LEGACY_WRITE_H
#define PH_MODEL_LEGACY_WRITE_H

#include "base/buf.h"
#include "model/profile.h"

#include <stdbool.h>

/**
 * ph_legacy_write() - append "heap profile: n: b [N: B] @ heap_v2/RATE", one line for each stack, largest
 * in-use bytes first, and "MAPPED_LIBRARIES:" if the profile has mappings. The text knows no labels: samples that differ by
 * them only are one line.
 * @symbols: true: below each stack lines as Go's, "#<TAB>0xPC<TAB>function<TAB>file:line", names demangled; without
 *           the function's offset, which a profile does not hold. Nameless: "#<TAB>0xPC<TAB>?<TAB>module+0xoffset".
 *
 * Readers unbias heap_v2 again, so what is written is biased back: reading it gives the profile's values
 * (within rounding). Addresses are written as return addresses (+1), as readers subtract 1. A sample with
 * n = 0 and b != 0 is written with n = 1 (pprof rejects it otherwise).
 * Returns 0; -EINVAL if the profile lacks the four heap types; -ENOMEM.
 */
int ph_legacy_write(const struct ph_profile *profile, bool symbols, struct ph_buf *out);

#endif
