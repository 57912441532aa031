/*
 * pprof_write.h - a profile as pprof's gzipped protobuf, the form every client reads.
 */
#ifndef PH_MODEL_PPROF_WRITE_H
#define PH_MODEL_PPROF_WRITE_H

#include "base/buf.h"
#include "base/error.h"
#include "model/profile.h"

/**
 * ph_pprof_write() - append the profile to @out: protobuf (profile.proto), gzip around it.
 *
 * One message at a time is packed and compressed, so the peak is the output, not a second copy of the profile.
 * String 0 is "", ids are 1..N in order, mapping 1 first. Returns 0; -ENOMEM; -EINVAL if the profile is not
 * consistent (model/check.h), with the reason in @error.
 */
int ph_pprof_write(const struct ph_profile *profile, struct ph_buf *out, struct ph_error *error);

/** ph_pprof_write_bare() - the same without gzip: for a reader on this host, to whom time matters more than bytes. */
int ph_pprof_write_bare(const struct ph_profile *profile, struct ph_buf *out, struct ph_error *error);

#endif
