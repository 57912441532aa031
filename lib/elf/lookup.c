#include "elf/lookup.h"

#include "elf/names.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SYMBOLS ((size_t)2048) /* 48 KiB at a time */
#define NAME_BYTES    ((size_t)1024) /* of names for each query on the average; C++ takes 100 */

/* Bits of ph_candidate.rank; higher is better. */
enum {
    RANK_VISIBLE = 1, /* not LOCAL */
    RANK_FUNCTION = 2,
    RANK_SIZED = 4,
};

/* A symbol that can name code. */
struct symbol {
    uint64_t start, limit; /* for one of size 0 the limit is that of its section */
    uint32_t name;
    uint8_t rank, table;
    bool is_weak;
};

static bool read_symbol(const struct ph_tables *tables, const ElfW(Sym) * from, struct symbol *symbol)
{
    unsigned type = ELF64_ST_TYPE(from->st_info), bind = ELF64_ST_BIND(from->st_info);
    bool is_function = type == STT_FUNC || type == STT_GNU_IFUNC;
    if ((!is_function && type != STT_NOTYPE) || from->st_name == 0 || from->st_shndx >= tables->section_count)
        return false;
    const struct ph_section *section = &tables->sections[from->st_shndx]; /* SHN_UNDEF, 0, holds no code */
    if (from->st_value < section->start || from->st_value >= section->limit)
        return false;
    bool is_cut = from->st_size > 0 && from->st_size < section->limit - from->st_value;
    symbol->start = from->st_value;
    symbol->limit = is_cut ? from->st_value + from->st_size : section->limit;
    symbol->name = from->st_name;
    symbol->rank = (uint8_t)((from->st_size > 0 ? RANK_SIZED : 0) | (is_function ? RANK_FUNCTION : 0) |
                             (bind != STB_LOCAL ? RANK_VISIBLE : 0));
    symbol->is_weak = bind == STB_WEAK;
    return true;
}

static size_t first_query_at(const struct ph_lookup *lookup, uint64_t address)
{
    size_t low = 0, high = lookup->query_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (lookup->queries[middle].address < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void set_candidate(struct ph_candidate *candidate, const struct symbol *symbol)
{
    candidate->start = symbol->start;
    candidate->reach = symbol->limit;
    candidate->rank = symbol->rank;
    candidate->table = symbol->table;
    candidate->aliases[0] = symbol->name;
    candidate->alias_count = 1;
    candidate->weak_aliases = symbol->is_weak;
}

static void add_alias(struct ph_candidate *candidate, const struct symbol *symbol)
{
    unsigned place = candidate->alias_count;
    if (candidate->table != symbol->table || place == PH_ALIASES_MAX)
        return;
    candidate->aliases[place] = symbol->name;
    candidate->weak_aliases |= (uint8_t)(symbol->is_weak << place);
    candidate->alias_count++;
}

/* @first_ranks: the bits of the rank that count more than the nearest start. */
static void offer(struct ph_candidate *best, const struct symbol *symbol, unsigned first_ranks)
{
    int order = (int)(symbol->rank & first_ranks) - (int)(best->rank & first_ranks);
    if (order == 0)
        order = (symbol->start > best->start) - (symbol->start < best->start);
    if (order == 0)
        order = symbol->rank - best->rank;
    if (best->alias_count == 0 || order > 0)
        set_candidate(best, symbol);
    else if (order == 0)
        add_alias(best, symbol);
}

/* @work_left: of offers. A table in which everything covers everything is not worth hours. */
static bool offer_all(struct ph_lookup *lookup, const struct symbol *symbol, uint64_t *work_left)
{
    size_t i = first_query_at(lookup, symbol->start);
    if (i == lookup->query_count)
        return true;
    offer(&lookup->queries[i].preceding, symbol, 0);
    if (!(symbol->rank & RANK_SIZED))
        return true;
    for (; i < lookup->query_count && lookup->queries[i].address < symbol->limit; i++) {
        if (*work_left == 0)
            return false;
        --*work_left;
        offer(&lookup->queries[i].covering, symbol, RANK_FUNCTION);
    }
    return true;
}

static int walk(struct ph_lookup *lookup, const struct ph_lookup_table *table, ElfW(Sym) * chunk)
{
    uint64_t left = table->table->symbols.size_bytes / sizeof(*chunk), offset = table->table->symbols.offset;
    uint64_t work_left = 16 * left + 64 * lookup->query_count;
    struct symbol symbol = {.table = (uint8_t)lookup->table_count};
    while (left > 0) {
        size_t piece = left < CHUNK_SYMBOLS ? left : CHUNK_SYMBOLS;
        if (!ph_file_read(table->file, offset, chunk, piece * sizeof(*chunk)))
            return -EIO;
        for (size_t i = 0; i < piece; i++)
            if (read_symbol(table->tables, &chunk[i], &symbol) && !offer_all(lookup, &symbol, &work_left))
                return -EINVAL;
        offset += piece * sizeof(*chunk);
        left -= piece;
    }
    return 0;
}

int ph_lookup_walk(struct ph_lookup *lookup, struct ph_lookup_table table)
{
    if (lookup->table_count == PH_LOOKUP_TABLES_MAX)
        return -EINVAL;
    ElfW(Sym) *chunk = malloc(CHUNK_SYMBOLS * sizeof(*chunk));
    if (!chunk)
        return -ENOMEM;
    int status = walk(lookup, &table, chunk);
    free(chunk);
    if (status == 0)
        lookup->tables[lookup->table_count++] = table;
    return status;
}

/* One name of the candidate chosen for a query. */
struct reference {
    struct ph_query *query;
    uint32_t offset;
    uint8_t table;
    bool is_function, is_weak;
};

static int by_place(const void *a, const void *b)
{
    const struct reference *left = a, *right = b;
    if (left->table != right->table)
        return left->table < right->table ? -1 : 1;
    return (left->offset > right->offset) - (left->offset < right->offset);
}

/* The candidates decide: what covers, else what precedes and reaches. Chosen ones end up in .covering. */
static void choose(struct ph_lookup *lookup)
{
    static const struct ph_candidate none;
    struct ph_candidate preceding = none;
    for (size_t i = 0; i < lookup->query_count; i++) {
        struct ph_query *query = &lookup->queries[i];
        if (query->preceding.alias_count > 0)
            preceding = query->preceding;
        if (query->covering.alias_count == 0 && query->address < preceding.reach)
            query->covering = preceding;
    }
}

/* Neighbours in one function share its name. */
static bool is_shared(const struct ph_lookup *lookup, size_t i)
{
    if (i == 0)
        return false;
    const struct ph_candidate *a = &lookup->queries[i].covering, *b = &lookup->queries[i - 1].covering;
    return a->alias_count > 0 && b->alias_count > 0 && a->table == b->table && a->start == b->start &&
           a->aliases[0] == b->aliases[0];
}

static size_t add_references(struct ph_lookup *lookup, struct reference *references)
{
    size_t count = 0;
    for (size_t i = 0; i < lookup->query_count; i++) {
        struct ph_query *query = &lookup->queries[i];
        const struct ph_candidate *found = &query->covering;
        for (unsigned k = 0; k < found->alias_count && !is_shared(lookup, i); k++, count++)
            if (references)
                references[count] = (struct reference){query, found->aliases[k], found->table,
                                                       found->rank & RANK_FUNCTION, found->weak_aliases >> k & 1};
    }
    return count;
}

/* Rules 5 and 6 of lookup.h as one number; lower is better. */
static size_t badness(const char *name, size_t size_bytes, bool is_weak)
{
    size_t underscores = 0;
    while (underscores < size_bytes && name[underscores] == '_')
        underscores++;
    bool is_mangled = underscores == 1 && size_bytes > 1 && (name[1] == 'Z' || name[1] == 'R');
    return 2 * (is_mangled ? 0 : underscores) + is_weak;
}

/* @left_bytes: of text. A file can have one long name begin at every byte of it. */
static int take_name(struct ph_names *names, const struct reference *reference, struct ph_arena *text,
                     size_t *left_bytes)
{
    struct ph_query *query = reference->query;
    size_t size_bytes;
    const char *name = ph_names_read(names, reference->offset, &size_bytes);
    if (!name || size_bytes > *left_bytes || (!reference->is_function && (*name == '.' || *name == '$')))
        return 0;
    size_t bad = badness(name, size_bytes, reference->is_weak);
    if (query->name && bad >= query->badness)
        return 0;
    *left_bytes -= size_bytes;
    query->badness = bad;
    query->name = ph_arena_copy(text, name, size_bytes);
    return query->name ? 0 : -ENOMEM;
}

static int take_names(struct ph_lookup *lookup, struct reference *references, size_t count, struct ph_arena *text)
{
    size_t left_bytes = PH_NAME_MAX_BYTES + lookup->query_count * NAME_BYTES;
    int status = 0;
    for (size_t i = 0; i < count && status == 0;) {
        unsigned number = references[i].table;
        const struct ph_lookup_table *table = &lookup->tables[number];
        struct ph_names names;
        status = ph_names_init(&names, table->file, table->table->names);
        if (status < 0)
            return status;
        for (; i < count && references[i].table == number && status == 0; i++)
            status = take_name(&names, &references[i], text, &left_bytes);
        ph_names_fini(&names);
    }
    return status;
}

int ph_lookup_finish(struct ph_lookup *lookup, struct ph_arena *text)
{
    choose(lookup);
    size_t count = add_references(lookup, NULL);
    struct reference *references = malloc((count + 1) * sizeof(*references));
    if (!references)
        return -ENOMEM;
    add_references(lookup, references);
    qsort(references, count, sizeof(*references), by_place);
    int status = take_names(lookup, references, count, text);
    free(references);
    for (size_t i = 0; i < lookup->query_count; i++) {
        struct ph_query *query = &lookup->queries[i];
        if (is_shared(lookup, i))
            query->name = query[-1].name;
        query->offset = query->address - query->covering.start;
    }
    return status;
}
