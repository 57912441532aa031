/*
 * debugdata.h - .gnu_debugdata: a small ELF file with the symbols that .dynsym lacks, packed with xz inside a
 * stripped one ("MiniDebugInfo" in the GDB manual). Any thread.
 */
#ifndef PH_ELF_DEBUGDATA_H
#define PH_ELF_DEBUGDATA_H

#include "elf/file.h"
#include "elf/tables.h"

#define PH_DEBUGDATA_MAX_BYTES ((size_t)64 << 20) /* unpacked, in memory for a moment; node's would take 10 MB */

/** ph_debugdata_read() - unpack @packed of @file. 0; -EINVAL for what is no xz stream; -EFBIG; -EIO; -ENOMEM. */
int ph_debugdata_read(struct ph_file *ret_image, const struct ph_file *file, struct ph_range packed);

#endif
