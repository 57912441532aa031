/* gzip.h - gzip in memory, by zlib: what wraps a pprof profile. One thread at a time. */
#ifndef PH_MODEL_GZIP_H
#define PH_MODEL_GZIP_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <zlib.h>

struct ph_gzip_writer {
    z_stream stream;
    struct ph_buf *out;
};

/** ph_gzip_writer_init() - compress into @out, behind what it holds. 0, -ENOMEM. Always call the finish after 0. */
int ph_gzip_writer_init(struct ph_gzip_writer *writer, struct ph_buf *out);
void ph_gzip_write(struct ph_gzip_writer *writer, const void *bytes, size_t size_bytes);

/** ph_gzip_writer_finish() - write what is left and release. 0; -ENOMEM if @out has failed. */
int ph_gzip_writer_finish(struct ph_gzip_writer *writer);

/** ph_gzip_is() - does it begin with the magic bytes (RFC 1952, 2.3.1)? */
bool ph_gzip_is(const char *bytes, size_t size_bytes);

/**
 * ph_gzip_read() - append to @out what @bytes holds, which may be several gzip members in a row.
 *
 * 0; -EINVAL with the byte position in @error for a damaged or cut stream; -EFBIG beyond @max_bytes; -ENOMEM.
 */
int ph_gzip_read(const char *bytes, size_t size_bytes, size_t max_bytes, struct ph_buf *out,
                 struct ph_error *error);

#endif
