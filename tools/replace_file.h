/* replace_file.h - a file that is there as a whole or not at all. */
#ifndef PH_TOOLS_REPLACE_FILE_H
#define PH_TOOLS_REPLACE_FILE_H

#include "base/error.h"

#include <stddef.h>

/**
 * ph_replace_file() - write @bytes to the file @name in @folder, whatever was there before.
 *
 * They are written to a temporary file (".porthole.new": a dot file, so that who reads the folder meanwhile does not
 * take it for a profile, and one writer at a time in a folder), brought to the disk, and only then given the name: after
 * a crash or a full disk there is the old file or none, and never half of one.
 * 0; else the negative errno with a sentence in @error that names the file, and the temporary file is gone.
 */
int ph_replace_file(const char *folder, const char *name, const void *bytes, size_t size_bytes,
                    struct ph_error *error);

#endif
