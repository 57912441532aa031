/* decode.h - a profile from bytes, whatever its format: told by content, never by name. */
#ifndef PH_TOOLS_DECODE_H
#define PH_TOOLS_DECODE_H

#include "base/error.h"
#include "elf/debug_file.h"
#include "model/profile.h"

#include <stddef.h>

enum ph_format {
    PH_FORMAT_PPROF,    /* pprof's protobuf, gzipped or not */
    PH_FORMAT_JEMALLOC, /* jemalloc's heap_v2 dump */
    PH_FORMAT_LEGACY,   /* the heap text of gperftools and Go */
    PH_FORMAT_FOLDED,   /* folded stacks with a count */
};

struct ph_decode_options {
    struct ph_symbol_sources symbols; /* for profiles that hold addresses only */
    const char *metric; /* what folded stacks count, a sample type of heap profiles: inuse_space if NULL */
};

/* What the options --binary and --debug-dir are called in every command's help. */
#define PH_BINARY_HELP                                                                                             \
    "the program's file, with its symbols, if it is not where the profile says; its build id must match"
#define PH_DEBUG_DIR_HELP                                                                                          \
    "a folder with debug files, by build id (.build-id/ab/cdef.debug) or by name, asked before /usr/lib/debug"

/**
 * ph_decode() - a new profile in @ret_profile. @options: NULL for none.
 *
 * Addresses without a name get functions, files and lines from local files (elf/offline.h). Frames of a jemalloc dump
 * in libjemalloc and libporthole are left out.
 * 0; -EINVAL, -EFBIG or -ENOMEM from the reader of the format, its sentence in @error: where, by byte or by line and
 * column, and what was expected there.
 */
int ph_decode(const char *bytes, size_t size_bytes, const struct ph_decode_options *options,
              enum ph_format *ret_format, struct ph_profile **ret_profile, struct ph_error *error);

#endif
