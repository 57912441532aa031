#include "elf/dwarf.h"

#include "base/arena.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEPTH_MAX 256 /* of nested blocks and inlined calls; compilers make some dozens */
#define CALLS_MAX 128 /* lines of one location */

/* A function, an inlined call or a block that holds code we look for, and what is around it. */
struct scope {
    Dwarf_Die die;
    const struct scope *outer;
};

struct search {
    struct ph_profile *profile;
    struct ph_place *places;
    const struct scope **innermost; /* of each place, in the unit at hand; NULL if there is none */
    Dwarf_Die *unit;                /* with the line table */
    struct ph_arena scopes;
    int status;
};

/* The first place at or behind @address, among those from @first to @limit. */
static size_t lower_bound(const struct ph_place *places, size_t first, size_t limit, uint64_t address)
{
    while (first < limit) {
        size_t middle = first + (limit - first) / 2;
        if (places[middle].address < address)
            first = middle + 1;
        else
            limit = middle;
    }
    return first;
}

/* ---- which scopes hold a place ---- */

static const struct scope *new_scope(struct search *search, const Dwarf_Die *die, const struct scope *outer)
{
    struct scope *scope = ph_arena_alloc(&search->scopes, sizeof(*scope));
    if (scope)
        *scope = (struct scope){*die, outer};
    else
        search->status = -ENOMEM;
    return scope;
}

/* The scope of @die for all places it holds; @outer if it holds none. */
static const struct scope *enter(struct search *search, Dwarf_Die *die, size_t first, size_t limit,
                                 const struct scope *outer)
{
    const struct scope *scope = NULL;
    Dwarf_Addr base, start, end;
    ptrdiff_t next = 0;
    while ((next = dwarf_ranges(die, next, &base, &start, &end)) > 0) {
        size_t i = lower_bound(search->places, first, limit, start);
        size_t behind = lower_bound(search->places, i, limit, end);
        if (i < behind && !scope && !(scope = new_scope(search, die, outer)))
            return outer;
        for (; i < behind; i++)
            search->innermost[i] = scope;
    }
    return scope ? scope : outer;
}

enum kind { OTHER, CODE, INLINED, CONTAINER };

static enum kind kind_of(Dwarf_Die *die)
{
    switch (dwarf_tag(die)) {
    case DW_TAG_subprogram:
    case DW_TAG_lexical_block:
    case DW_TAG_try_block:
    case DW_TAG_catch_block:
        return CODE;
    case DW_TAG_inlined_subroutine:
        return INLINED;
    case DW_TAG_namespace:
    case DW_TAG_module:
    case DW_TAG_class_type:
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
    case DW_TAG_enumeration_type:
        return CONTAINER;
    default:
        return OTHER;
    }
}

static void walk(struct search *search, Dwarf_Die *parent, size_t first, size_t limit, const struct scope *outer,
                 unsigned depth)
{
    Dwarf_Die die;
    if (depth == DEPTH_MAX || dwarf_child(parent, &die) != 0)
        return;
    for (;;) {
        enum kind kind = kind_of(&die);
        const struct scope *scope = outer;
        if (kind == CODE || kind == INLINED)
            scope = enter(search, &die, first, limit, outer);
        /* Functions in functions lie elsewhere, so those that hold nothing are looked into as well. */
        if (kind != OTHER && (kind != INLINED || scope != outer))
            walk(search, &die, first, limit, scope, depth + 1);
        const void *here = die.addr;
        /* In damaged DWARF the sibling may stand before us, for ever. */
        if (search->status < 0 || dwarf_siblingof(&die, &die) != 0 || die.addr <= here)
            return;
    }
}

/* ---- from scopes to lines ---- */

static const char *text_of(Dwarf_Die *die, unsigned attribute)
{
    Dwarf_Attribute value;
    const char *text = dwarf_formstring(dwarf_attr_integrate(die, attribute, &value));
    return text && *text ? text : NULL;
}

static const char *function_name(Dwarf_Die *die)
{
    const char *name = text_of(die, DW_AT_linkage_name);
    if (!name)
        name = text_of(die, DW_AT_MIPS_linkage_name);
    return name ? name : text_of(die, DW_AT_name);
}

static size_t count_underscores(const char *name)
{
    bool is_mangled = strncmp(name, "_Z", 2) == 0 || strncmp(name, "_R", 2) == 0;
    return is_mangled ? 0 : strspn(name, "_");
}

/* The name of a function that was really called. */
static const char *better_name(const char *name, const char *symbol)
{
    if (!name || !symbol)
        return name ? name : symbol;
    return count_underscores(symbol) < count_underscores(name) ? symbol : name;
}

/* A place in the source. */
struct source {
    const char *file; /* NULL if unknown */
    int64_t line, column;
};

static struct source source_of(Dwarf_Die *unit, uint64_t address)
{
    struct source source = {NULL, 0, 0};
    int line = 0, column = 0;
    Dwarf_Line *row = dwarf_getsrc_die(unit, address);
    if (!row)
        return source;
    source.file = dwarf_linesrc(row, NULL, NULL);
    if (dwarf_lineno(row, &line) == 0)
        source.line = line;
    if (dwarf_linecol(row, &column) == 0)
        source.column = column;
    return source;
}

static Dwarf_Word number_of(Dwarf_Die *die, unsigned attribute)
{
    Dwarf_Attribute value;
    Dwarf_Word number = 0;
    return dwarf_formudata(dwarf_attr(die, attribute, &value), &number) == 0 ? number : 0;
}

/* Where the call of an inlined function stands. */
static struct source call_of(Dwarf_Die *inlined)
{
    Dwarf_Die unit;
    Dwarf_Files *files;
    size_t file_count;
    struct source source = {NULL, (int64_t)number_of(inlined, DW_AT_call_line),
                            (int64_t)number_of(inlined, DW_AT_call_column)};
    Dwarf_Word file = number_of(inlined, DW_AT_call_file);
    if (dwarf_diecu(inlined, &unit, NULL, NULL) && dwarf_getsrcfiles(&unit, &files, &file_count) == 0 &&
        file < file_count)
        source.file = dwarf_filesrc(files, file, NULL, NULL);
    return source;
}

static uint32_t add_function(struct ph_profile *profile, const char *name, const char *file)
{
    uint32_t string = ph_profile_string(profile, name);
    struct ph_function function = {
        .name = string, .system_name = string, .file = ph_profile_string(profile, file ? file : "")};
    return ph_profile_add_function(profile, &function);
}

static bool is_function(const struct scope *scope, bool *ret_is_inlined)
{
    Dwarf_Die die = scope->die;
    int tag = dwarf_tag(&die);
    *ret_is_inlined = tag == DW_TAG_inlined_subroutine;
    return *ret_is_inlined || tag == DW_TAG_subprogram;
}

/* The calls that lead to a place, innermost first, up to the function that was really called. */
static uint32_t collect_calls(struct search *search, const struct scope *scope, struct source source,
                              const char *symbol, struct ph_line *calls)
{
    uint32_t count = 0;
    for (bool is_inlined = true; scope && is_inlined && count < CALLS_MAX; scope = scope->outer) {
        if (!is_function(scope, &is_inlined)) {
            is_inlined = true; /* a block: go on outwards */
            continue;
        }
        Dwarf_Die die = scope->die;
        const char *name = is_inlined ? function_name(&die) : better_name(function_name(&die), symbol);
        if (name)
            calls[count++] =
                (struct ph_line){add_function(search->profile, name, source.file), source.line, source.column};
        if (is_inlined)
            source = call_of(&die);
    }
    return count;
}

static void name_place(struct search *search, struct ph_place *place, const struct scope *scope)
{
    struct ph_line calls[CALLS_MAX];
    struct source source = source_of(search->unit, place->address);
    uint32_t count = scope ? collect_calls(search, scope, source, place->symbol, calls) : 0;
    if (count > 0) {
        ph_profile_set_lines(search->profile, place->location, calls, count);
        place->is_named = true;
    } else if (source.file) {
        place->file = ph_profile_string(search->profile, source.file);
        place->line = source.line;
    }
}

/* ---- units ---- */

/* The places that a unit may hold: from the first to behind the last. False if there are none. */
static bool slice(const struct search *search, Dwarf_Die *unit, size_t count, size_t *ret_first, size_t *ret_limit)
{
    Dwarf_Addr base, start, end;
    ptrdiff_t next = 0;
    *ret_first = count;
    *ret_limit = 0;
    while ((next = dwarf_ranges(unit, next, &base, &start, &end)) > 0) {
        size_t first = lower_bound(search->places, 0, count, start);
        size_t limit = lower_bound(search->places, first, count, end);
        if (first == limit)
            continue;
        *ret_first = first < *ret_first ? first : *ret_first;
        *ret_limit = limit > *ret_limit ? limit : *ret_limit;
    }
    return *ret_first < *ret_limit;
}

/* Places between the ranges of a unit belong to others: only those that a scope of this one holds, or a line. */
static bool holds(Dwarf_Die *unit, const struct scope *scope, uint64_t address)
{
    return scope || dwarf_haspc(unit, address) == 1;
}

static void name_unit(struct search *search, Dwarf_Die *unit, Dwarf_Die *tree, size_t count)
{
    size_t first, limit;
    if (!slice(search, unit, count, &first, &limit))
        return;
    memset(search->innermost + first, 0, (limit - first) * sizeof(*search->innermost));
    search->unit = unit;
    walk(search, tree, first, limit, NULL, 0);
    for (size_t i = first; i < limit; i++)
        if (!search->places[i].is_named && holds(unit, search->innermost[i], search->places[i].address))
            name_place(search, &search->places[i], search->innermost[i]);
    ph_arena_fini(&search->scopes);
}

static void name_all(struct search *search, Dwarf *dwarf, size_t count)
{
    Dwarf_CU *unit = NULL;
    Dwarf_Die die, split;
    uint8_t type;
    while (search->status == 0 && dwarf_get_units(dwarf, unit, &unit, NULL, &type, &die, &split) == 0) {
        if (type == DW_UT_compile)
            name_unit(search, &die, &die, count);
        else if (type == DW_UT_skeleton)
            name_unit(search, &die, split.addr ? &split : &die, count);
    }
}

int ph_dwarf_find(const struct ph_file *file, struct ph_place *places, size_t count, struct ph_profile *profile)
{
    struct search search = {.profile = profile, .places = places, .scopes = PH_ARENA_INIT};
    if (count == 0 || file->fd < 0)
        return 0;
    Dwarf *dwarf = dwarf_begin(file->fd, DWARF_C_READ);
    if (!dwarf)
        return 0;
    search.innermost = calloc(count, sizeof(*search.innermost));
    search.status = search.innermost ? 0 : -ENOMEM;
    name_all(&search, dwarf, count);
    ph_arena_fini(&search.scopes);
    free(search.innermost);
    dwarf_end(dwarf);
    return search.status ? search.status : ph_profile_status(profile);
}
