#include "elf/symbols.h"

#include "elf/debugdata.h"
#include "elf/file.h"
#include "elf/ident.h"
#include "elf/lookup.h"
#include "elf/memory.h"
#include "elf/tables.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEBUG_ROOT     "/usr/lib/debug"
#define VDSO_MAX_BYTES ((uint64_t)1 << 20) /* it has two pages */

/* One address to look up. */
struct wanted {
    const struct ph_module *module;
    size_t symbol;
};

struct finder {
    const struct ph_modules *modules;
    struct ph_symbol *symbols;
    struct ph_arena *text;
    const char *debug_root;
};

/* An ELF file and what is known of it. */
struct source {
    struct ph_file file;
    struct ph_ident ident;
    struct ph_tables tables;
};

static void source_fini(struct source *source)
{
    ph_tables_fini(&source->tables);
    ph_file_close(&source->file);
}

static bool is_same_build(const struct ph_module *module, const struct source *source)
{
    if (module->build_id[0])
        return strcmp(module->build_id, source->ident.build_id) == 0;
    if (module->header_hash)
        return module->header_hash == source->ident.header_hash;
    return !module->deleted && module->inode && module->device == source->file.device &&
           module->inode == source->file.inode;
}

static bool take_own(const struct ph_module *module, struct source *source)
{
    if (ph_ident_read(ph_file_read, &source->file, &source->ident) && is_same_build(module, source))
        return true;
    source->ident = (struct ph_ident){.load_count = 0}; /* nothing of another build may be used */
    ph_file_close(&source->file);
    return false;
}

static bool open_own(const struct finder *finder, const struct ph_module *module, const char *path,
                     struct source *source)
{
    return ph_file_open(&source->file, path) == 0 && take_own(module, source);
}

/* The vDSO has no file. Only a snapshot of ourselves knows its build id. */
static bool open_vdso(const struct ph_module *module, struct source *source)
{
    struct ph_memory memory;
    uint64_t size_bytes = module->limit - module->start;
    unsigned char *bytes = module->build_id[0] && size_bytes <= VDSO_MAX_BYTES ? malloc(size_bytes) : NULL;
    if (!bytes)
        return false;
    ph_memory_open(&memory);
    bool is_read = ph_memory_read(&memory, module->start, bytes, size_bytes);
    ph_memory_close(&memory);
    source->file = ph_file_over(bytes, size_bytes);
    if (!is_read)
        ph_file_close(&source->file);
    return is_read && take_own(module, source);
}

/* The file itself: by its path; if that leads elsewhere now, by the links of the kernel, of which only that to the
 * executable is open to everybody. */
static bool find_own(const struct finder *finder, const struct ph_module *module, struct source *source)
{
    char link[sizeof("/proc/self/map_files/-") + 32];
    if (strcmp(module->path, "[vdso]") == 0)
        return open_vdso(module, source);
    if (module->path[0] != '/')
        return false;
    if (open_own(finder, module, module->path, source) ||
        (module->is_main && open_own(finder, module, "/proc/thread-self/exe", source)))
        return true;
    snprintf(link, sizeof(link), "/proc/self/map_files/%" PRIx64 "-%" PRIx64, module->start, module->limit);
    return open_own(finder, module, link, source);
}

/* The separate debug file. Its program headers are of no use, so its build id is that of its sections. */
static bool find_debug(const struct finder *finder, const char *build_id, struct source *source)
{
    char path[PATH_MAX];
    if (strlen(build_id) < 3)
        return false;
    int length =
        snprintf(path, sizeof(path), "%s/.build-id/%.2s/%s.debug", finder->debug_root, build_id, build_id + 2);
    if (length < 0 || (size_t)length >= sizeof(path) || ph_file_open(&source->file, path) < 0)
        return false;
    if (ph_tables_read(&source->tables, &source->file) == 0 && source->tables.full.symbols.size_bytes > 0 &&
        strcmp(source->tables.build_id, build_id) == 0)
        return true;
    source_fini(source);
    return false;
}

/* The symbols inside .gnu_debugdata of @own. */
static bool find_debugdata(const struct source *own, struct source *source)
{
    if (own->tables.debugdata.size_bytes == 0 ||
        ph_debugdata_read(&source->file, &own->file, own->tables.debugdata) < 0)
        return false;
    if (ph_tables_read(&source->tables, &source->file) == 0 && source->tables.full.symbols.size_bytes > 0)
        return true;
    source_fini(source);
    return false;
}

static int walk(struct ph_lookup *lookup, const struct source *source, const struct ph_symbol_table *table)
{
    if (table->symbols.size_bytes == 0)
        return 0;
    return ph_lookup_walk(lookup, (struct ph_lookup_table){&source->file, &source->tables, table});
}

/* All symbols from the first place that has them, then those for the dynamic linker, which .gnu_debugdata lacks. */
static int walk_all(const struct finder *finder, struct ph_lookup *lookup, const char *build_id, struct source *own,
                    struct source *other)
{
    bool has_own = own->file.size_bytes > 0 && ph_tables_read(&own->tables, &own->file) == 0;
    bool has_full = has_own && own->tables.full.symbols.size_bytes > 0;
    int status = 0;
    if (find_debug(finder, build_id, other) || (has_own && !has_full && find_debugdata(own, other)))
        status = walk(lookup, other, &other->tables.full);
    else if (has_full)
        status = walk(lookup, own, &own->tables.full);
    if (status == 0 && has_own)
        status = walk(lookup, own, &own->tables.dynamic);
    return status;
}

/* A file that cannot be read or makes no sense gives no names; only lack of memory is a failure. */
static int find_names(const struct finder *finder, struct ph_lookup *lookup, const char *build_id,
                      struct source *own)
{
    struct source other = {.file = PH_FILE_NONE};
    int status = walk_all(finder, lookup, build_id, own, &other);
    if (status == 0)
        status = ph_lookup_finish(lookup, finder->text);
    for (size_t i = 0; i < lookup->query_count && status == 0; i++) {
        const struct ph_query *query = &lookup->queries[i];
        if (query->name) {
            finder->symbols[query->symbol].name = query->name;
            finder->symbols[query->symbol].offset = query->offset;
        }
    }
    source_fini(&other);
    return status == -ENOMEM ? status : 0;
}

static int by_address(const void *a, const void *b)
{
    const struct ph_query *left = a, *right = b;
    return (left->address > right->address) - (left->address < right->address);
}

/* A snapshot knows where the ELF file was to be mapped if it could read the header; else the file must tell. */
static void make_queries(const struct finder *finder, const struct wanted *wanted, const struct ph_ident *ident,
                         struct ph_lookup *lookup)
{
    for (size_t i = 0; i < lookup->query_count; i++) {
        const struct ph_module *module = wanted[i].module;
        uint64_t bias = module->header_hash ? module->bias : ph_ident_bias(ident, module->start, module->offset);
        lookup->queries[i].address = finder->symbols[wanted[i].symbol].address - bias;
        lookup->queries[i].symbol = wanted[i].symbol;
    }
    qsort(lookup->queries, lookup->query_count, sizeof(*lookup->queries), by_address);
}

/* All wanted addresses of one file. */
static int find_in_file(const struct finder *finder, const struct wanted *wanted, size_t count)
{
    const struct ph_module *module = wanted->module;
    struct source own = {.file = PH_FILE_NONE};
    bool has_own = find_own(finder, module, &own);
    if (!has_own && !module->header_hash)
        return 0;
    struct ph_lookup lookup = {.query_count = count, .queries = calloc(count, sizeof(*lookup.queries))};
    int status = -ENOMEM;
    if (lookup.queries) {
        make_queries(finder, wanted, &own.ident, &lookup);
        status = find_names(finder, &lookup, module->build_id[0] ? module->build_id : own.ident.build_id, &own);
    }
    free(lookup.queries);
    source_fini(&own);
    return status;
}

static int by_file(const void *a, const void *b)
{
    const struct wanted *left = a, *right = b;
    return (left->module->file > right->module->file) - (left->module->file < right->module->file);
}

static size_t collect(const struct finder *finder, size_t count, struct wanted *wanted)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        struct ph_symbol *symbol = &finder->symbols[i];
        symbol->name = NULL;
        symbol->offset = 0;
        const struct ph_module *module = ph_modules_find(finder->modules, symbol->address);
        if (module && module->path[0])
            wanted[found++] = (struct wanted){module, i};
    }
    qsort(wanted, found, sizeof(*wanted), by_file);
    return found;
}

int ph_symbols_find_in(const struct ph_modules *modules, struct ph_symbol *symbols, size_t count,
                       struct ph_arena *text, const char *debug_root)
{
    struct finder finder = {modules, symbols, text, debug_root};
    if (count > SIZE_MAX / sizeof(struct ph_query))
        return -ENOMEM;
    struct wanted *wanted = malloc((count + 1) * sizeof(*wanted));
    if (!wanted)
        return -ENOMEM;
    size_t found = collect(&finder, count, wanted);
    int status = 0;
    for (size_t first = 0, next; first < found && status == 0; first = next) {
        for (next = first + 1; next < found && wanted[next].module->file == wanted[first].module->file;)
            next++;
        status = find_in_file(&finder, wanted + first, next - first);
    }
    free(wanted);
    return status;
}

int ph_symbols_find(const struct ph_modules *modules, struct ph_symbol *symbols, size_t count,
                    struct ph_arena *text)
{
    return ph_symbols_find_in(modules, symbols, count, text, DEBUG_ROOT);
}
