/*
 * symbols.h - names for addresses, from symbol tables: .symtab, .dynsym, .gnu_debugdata (xz), and separate debug
 * files by build id under /usr/lib/debug/.build-id. No DWARF: that costs hundreds of megabytes in some hosts.
 *
 * Addresses are looked up in batches: sorted, then every symbol table of the module is walked once and the
 * nearest symbol kept for each address, so memory is that of the addresses, not that of the tables, and nothing is
 * kept afterwards. Any thread.
 */
#ifndef PH_ELF_SYMBOLS_H
#define PH_ELF_SYMBOLS_H

#include "base/arena.h"
#include "base/error.h"
#include "elf/modules.h"

#include <stddef.h>
#include <stdint.h>

struct ph_symbol {
    uint64_t address; /* in: what to look up, at run time */
    const char *name; /* out: mangled as in the file; NULL if unknown */
    uint64_t offset;  /* out: address - start of the symbol */
};

/**
 * ph_symbols_find() - fill name and offset of all @count symbols.
 * @symbols: in any order; the order is kept. @text: where the names are put.
 *
 * A file is used only if it is the build that is mapped: by build id, else by ELF header, else by device and inode.
 * So a file that was replaced meanwhile gives no names rather than wrong ones. Which of several names is chosen
 * is told in lookup.h.
 *
 * Addresses outside every module, in unreadable files or outside every symbol stay NULL. A symbol of size 0
 * reaches up to the next one. 0; -ENOMEM.
 */
int ph_symbols_find(const struct ph_modules *modules, struct ph_symbol *symbols, size_t count,
                    struct ph_arena *text);

/** ph_symbols_find_in() - the same with separate debug files in @debug_root/.build-id instead of /usr/lib/debug. */
int ph_symbols_find_in(const struct ph_modules *modules, struct ph_symbol *symbols, size_t count,
                       struct ph_arena *text, const char *debug_root);

#endif
