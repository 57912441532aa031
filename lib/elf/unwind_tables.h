/*
 * unwind_tables.h - private copies of modules' .eh_frame_hdr and .eh_frame, read through checked reads: the host may dlclose() at
 * any instant. One thread at a time.
 */
#ifndef PH_ELF_UNWIND_TABLES_H
#define PH_ELF_UNWIND_TABLES_H

#include "base/cfi.h"
#include "elf/memory.h"

#define PH_UNWIND_TABLES_BYTES_MAX ((size_t)64 * 1024 * 1024)

/** ph_unwind_tables_copy() - of the .eh_frame_hdr at address @header. 0; -ENOENT if there is none of the form that linkers give
 * it, or it is not readable; -EFBIG; -ENOMEM. */
int ph_unwind_tables_copy(const struct ph_memory *memory, uint64_t header, struct ph_cfi_tables *ret_tables);

/** ph_unwind_tables_free() - fine on {0}. */
void ph_unwind_tables_free(struct ph_cfi_tables *tables);

#endif
