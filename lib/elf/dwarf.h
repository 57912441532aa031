/*
 * dwarf.h - functions, files, lines and inlined calls for many addresses of one ELF file, from its DWARF.
 *
 * For the tools only: the agent must not carry libdw into its host. The tree of a compilation unit is walked once for
 * all its addresses, where dwarf_getscopes() would walk it for each; units that hold none are not walked.
 */
#ifndef PH_ELF_DWARF_H
#define PH_ELF_DWARF_H

#include "elf/file.h"
#include "model/profile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ph_place {
    uint64_t address;   /* in: virtual address in the ELF file */
    uint32_t location;  /* in: of the profile, without lines so far */
    const char *symbol; /* in: of the symbol table; NULL for none */
    bool is_named;      /* in and out: it has lines; such a place is left alone */
    uint32_t file; /* out, where no function was found: the source file, a string of the profile; 0 if unknown */
    int64_t line;  /* the same */
};

/**
 * ph_dwarf_find() - give the locations of @places their lines.
 * @file: opened from disk; read at its own offset. @places: @count of them, sorted by address.
 *
 * Function names are linkage names where there are any, as symbol tables have them; the symbol is taken where it is the
 * public one of several names: malloc for what is __libc_malloc in the source. Live profiles say so, too. A file
 * without DWARF, or with damaged one, gives what can be read. 0; -ENOMEM.
 */
int ph_dwarf_find(const struct ph_file *file, struct ph_place *places, size_t count, struct ph_profile *profile);

#endif
