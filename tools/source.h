/* source.h - a profile from a target: fetched from a process or an endpoint, or read from a file. */
#ifndef PH_TOOLS_SOURCE_H
#define PH_TOOLS_SOURCE_H

#include "base/error.h"
#include "model/profile.h"
#include "tools/decode.h"
#include "tools/target.h"

struct ph_source_options {
    const char *route;                      /* of the profile, at a target that is no file */
    const char *query;                      /* "" for none */
    long seconds;                           /* how long the server takes by intention */
    const char *token_file;                 /* NULL: $PORTHOLE_TOKEN_FILE */
    long timeout_ms;                        /* of the request, without these seconds; 0 for a minute */
    size_t limit_bytes;                     /* of the answer; 0: as large as a profile may be */
    bool (*is_given_up)(void);              /* as in ph_http_request; NULL: wait for the answer */
    const struct ph_decode_options *decode; /* NULL for none */
};

/**
 * ph_source_fetch() - the bytes that a target which is no file answers with, taken by @out. 0; else as below.
 */
int ph_source_fetch(const struct ph_target *target, const struct ph_source_options *options, struct ph_buf *out,
                    struct ph_error *error);

/**
 * ph_source_read() - a new profile in @ret_profile.
 * 0, or a negative errno with a sentence in @error: what is wrong with which target, and what to do.
 *
 * A token goes to URLs and socket paths only: any local user may have opened the abstract socket of a process that
 * is not there.
 */
int ph_source_read(const struct ph_target *target, const struct ph_source_options *options,
                   enum ph_format *ret_format, struct ph_profile **ret_profile, struct ph_error *error);

#endif
