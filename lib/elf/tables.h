/*
 * tables.h - where the symbol tables of an ELF file are, checked against the size of the file.
 *
 * Headers are parsed with libelf; the tables themselves are not loaded. Any thread.
 */
#ifndef PH_ELF_TABLES_H
#define PH_ELF_TABLES_H

#include "elf/file.h"
#include "elf/ident.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ph_section {
    uint64_t start, limit; /* virtual addresses of code; both 0 for a section that holds none */
};

/* A range of the file: inside it, if size_bytes is not 0. */
struct ph_range {
    uint64_t offset, size_bytes;
};

struct ph_symbol_table {
    struct ph_range symbols,
        names; /* whole entries of ElfW(Sym); NUL-terminated names. Empty if there is no table */
};

struct ph_tables {
    struct ph_symbol_table full, dynamic; /* .symtab, .dynsym */
    struct ph_range debugdata;            /* .gnu_debugdata, xz */
    char build_id[PH_BUILD_ID_TEXT_MAX];  /* by the note sections: in separate debug files the segments lie */
    struct ph_section *sections;          /* by section number, as st_shndx has it */
    size_t section_count;
};

/** ph_tables_read() - 0; -EINVAL if it is no ELF file for this machine with section headers; -ENOMEM. */
int ph_tables_read(struct ph_tables *ret_tables, const struct ph_file *file);
void ph_tables_fini(struct ph_tables *tables);

#endif
