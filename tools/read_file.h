/* read_file.h - a file as a whole, bounded. */
#ifndef PH_TOOLS_READ_FILE_H
#define PH_TOOLS_READ_FILE_H

#include "base/buf.h"
#include "base/error.h"

#include <stddef.h>

/**
 * ph_read_file() - append the contents of @path, also of a pipe or /dev/stdin.
 * 0; -errno with a sentence in @error that names the file; -EFBIG beyond @limit_bytes, found out before reading where
 * the file has a size.
 */
int ph_read_file(const char *path, size_t limit_bytes, struct ph_buf *out, struct ph_error *error);

#endif
