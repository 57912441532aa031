/* output.h - where a command puts its result: a file that is there as a whole or not at all, or standard output. */
#ifndef PH_TOOLS_OUTPUT_H
#define PH_TOOLS_OUTPUT_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * ph_output_write() - write @bytes to @path; "-" is standard output.
 *
 * A file is written under another name beside @path, brought to the disk and then renamed: on failure whatever was at
 * @path is still there. It keeps the permissions of what it replaces, and a symbolic link stays one. What is no
 * regular file (a pipe, /dev/full) is written to as it is.
 * 0; else the negative errno with a sentence in @error that names the file.
 */
int ph_output_write(const char *path, const void *bytes, size_t size_bytes, struct ph_error *error);

/** ph_ends_with() - does a file's name end so, in whatever case, with something before it? */
bool ph_ends_with(const char *name, const char *ending);

#endif
