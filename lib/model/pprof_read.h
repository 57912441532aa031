/*
 * pprof_read.h - pprof's protobuf, gzipped or bare, into a profile. Input is not trusted.
 */
#ifndef PH_MODEL_PPROF_READ_H
#define PH_MODEL_PPROF_READ_H

#include "base/error.h"
#include "model/profile.h"

#include <stddef.h>

/** Inflated input beyond this is refused (-EFBIG): a kilobyte of gzip can claim a gigabyte. */
#define PH_PPROF_INFLATED_MAX_BYTES ((size_t)1 << 30)

/**
 * ph_pprof_read() - a new profile in @ret_profile; free it with ph_profile_free().
 *
 * Ids need not be 1..N in the input; they are in the result. Equal samples are joined.
 * Returns 0; -EINVAL with byte position or message and expectation in @error; -EFBIG; -ENOMEM.
 */
int ph_pprof_read(const char *bytes, size_t size_bytes, struct ph_profile **ret_profile, struct ph_error *error);

#endif
