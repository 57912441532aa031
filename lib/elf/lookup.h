/*
 * lookup.h - the nearest function symbol for each of many addresses, from tables that are read once and never held.
 *
 * Memory is that of the addresses (about 130 bytes each). Which symbol wins is decided in this order:
 *
 * 1. A symbol whose size covers the address, before one of size 0 that merely precedes it. A symbol of size 0
 *    reaches to the next symbol of any kind or to the end of its section. Code that no symbol reaches has no name:
 *    in stripped files that is every static function, and its neighbour's name would be a lie.
 * 2. Of those that cover: functions (STT_FUNC, STT_GNU_IFUNC) before labels (STT_NOTYPE). Labels count in code
 *    sections only, and not those of assemblers and plugins, which begin with "." or "$".
 * 3. The nearest start.
 * 4. Functions before labels, GLOBAL and WEAK before LOCAL.
 * 5. Fewer leading underscores, so write before __write and malloc before __libc_malloc; "_Z" and "_R" begin
 *    mangled names and do not count.
 * 6. GLOBAL before WEAK. Not before 5: the public names of the C library are often the weak ones.
 *
 * Between tables the earlier one wins unless the later is better by 1 to 4. One thread at a time.
 */
#ifndef PH_ELF_LOOKUP_H
#define PH_ELF_LOOKUP_H

#include "base/arena.h"
#include "elf/file.h"
#include "elf/tables.h"

#include <stddef.h>
#include <stdint.h>

#define PH_ALIASES_MAX       8 /* names of one place that are compared by 5 and 6; glibc 2.36 has up to 4 */
#define PH_LOOKUP_TABLES_MAX 2

/* What a query found so far. */
struct ph_candidate {
    uint64_t start;
    uint64_t reach;                   /* end of the symbol; of its section for one of size 0 */
    uint32_t aliases[PH_ALIASES_MAX]; /* in the names of the table */
    uint8_t alias_count;              /* 0: nothing found */
    uint8_t weak_aliases;             /* one bit each */
    uint8_t rank;
    uint8_t table;
};

struct ph_query {
    uint64_t address; /* in: virtual address in the ELF file */
    size_t symbol;    /* the caller's */
    size_t badness;   /* of the name so far, by 5 and 6 */
    struct ph_candidate covering;
    struct ph_candidate preceding; /* only those that start behind the query before this one */
    const char *name;              /* out: NULL if there is none */
    uint64_t offset;               /* out: address - start of the symbol */
};

struct ph_lookup {
    struct ph_query *queries; /* query_count of them, sorted by address; the caller's */
    size_t query_count;
    struct ph_lookup_table {
        const struct ph_file *file;
        const struct ph_tables *tables;
        const struct ph_symbol_table *table;
    } tables[PH_LOOKUP_TABLES_MAX]; /* those that were walked */
    unsigned table_count;
};

/** ph_lookup_walk() - read one more table and improve the candidates. What @table points to must stay.
 * 0; -ENOMEM; -EIO if it could not be read to its end; -EINVAL for a table that no linker made. After an error the
 * candidates are of no use: half a table names the wrong neighbours. */
int ph_lookup_walk(struct ph_lookup *lookup, struct ph_lookup_table table);

/** ph_lookup_finish() - choose, and fill name (put into @text) and offset of every query. 0, -ENOMEM. */
int ph_lookup_finish(struct ph_lookup *lookup, struct ph_arena *text);

#endif
