/*
 * names.h - names out of a string table, read in windows: cheap for offsets in rising order. One thread at a time.
 */
#ifndef PH_ELF_NAMES_H
#define PH_ELF_NAMES_H

#include "elf/file.h"
#include "elf/tables.h"

#include <stddef.h>
#include <stdint.h>

#define PH_NAME_MAX_BYTES ((size_t)64 * 1024) /* with its NUL; what is longer counts as no name */

struct ph_names {
    const struct ph_file *file; /* borrowed */
    struct ph_range table;
    char *window;           /* PH_NAME_MAX_BYTES */
    uint64_t window_offset; /* in the table */
    size_t window_bytes;
};

/** ph_names_init() - 0; -ENOMEM. */
int ph_names_init(struct ph_names *names, const struct ph_file *file, struct ph_range table);
void ph_names_fini(struct ph_names *names);

/**
 * ph_names_read() - the name at @offset of the table, without its symbol version ("foo" for "foo@@V1").
 *
 * Valid until the next call, not NUL-terminated. NULL for one that is empty, not terminated within the table, or
 * holds control characters: no compiler writes these, and they would break line-based answers.
 */
const char *ph_names_read(struct ph_names *names, uint64_t offset, size_t *ret_bytes);

#endif
