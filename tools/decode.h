/* decode.h - a profile from bytes, whatever its format: told by content, never by name. */
#ifndef PH_TOOLS_DECODE_H
#define PH_TOOLS_DECODE_H

#include "base/error.h"
#include "model/profile.h"

#include <stddef.h>

enum ph_format {
    PH_FORMAT_PPROF,    /* pprof's protobuf, gzipped or not */
    PH_FORMAT_JEMALLOC, /* jemalloc's heap_v2 dump */
    PH_FORMAT_LEGACY,   /* the heap text of gperftools and Go */
};

/**
 * ph_decode() - a new profile in @ret_profile.
 *
 * A jemalloc dump holds addresses only. Its functions are named if the files are still there unchanged; frames in
 * libjemalloc and libporthole are left out.
 * 0; -EINVAL, -EFBIG or -ENOMEM from the reader of the format, its sentence in @error.
 */
int ph_decode(const char *bytes, size_t size_bytes, enum ph_format *ret_format, struct ph_profile **ret_profile,
              struct ph_error *error);

#endif
