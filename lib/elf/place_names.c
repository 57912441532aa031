#include "elf/place_names.h"

#include "elf/debugdata.h"
#include "elf/lookup.h"

#include <errno.h>
#include <stdlib.h>

static int by_address(const void *a, const void *b)
{
    const struct ph_place *left = a, *right = b;
    return (left->address > right->address) - (left->address < right->address);
}

void ph_places_sort(struct ph_place *places, size_t count)
{
    qsort(places, count, sizeof(*places), by_address);
}

static void shift(struct ph_place *places, size_t count, uint64_t by)
{
    for (size_t i = 0; i < count; i++)
        places[i].address += by;
    if (by)
        ph_places_sort(places, count); /* some may have wrapped around */
}

/* By how much the addresses of the file with the code were moved after its debug file was split off: prelink. */
static uint64_t prelinked(const struct ph_module_files *files)
{
    const struct ph_image *code = &files->code, *debug = &files->debug;
    bool both = code->file.fd >= 0 && code->segment_count && debug->segment_count;
    return both ? code->segments[0].address - debug->segments[0].address : 0;
}

static int walk(struct ph_lookup *lookup, const struct ph_image *image, const struct ph_symbol_table *table)
{
    if (table->symbols.size_bytes == 0)
        return 0;
    return ph_lookup_walk(lookup, (struct ph_lookup_table){&image->file, &image->tables, table});
}

/* The tables of one image: the full one if it has one, else the packed one; then that of the dynamic linker. */
static int walk_tables(struct ph_lookup *lookup, const struct ph_image *image, struct ph_image *packed)
{
    const struct ph_tables *tables = &image->tables;
    int status = walk(lookup, image, &tables->full);
    if (status == 0 && tables->full.symbols.size_bytes == 0 && tables->debugdata.size_bytes &&
        ph_debugdata_read(&packed->file, &image->file, tables->debugdata) == 0 &&
        ph_tables_read(&packed->tables, &packed->file) == 0)
        status = walk(lookup, packed, &packed->tables.full);
    return status == 0 ? walk(lookup, image, &tables->dynamic) : status;
}

/* From the symbol tables of one image, for the places that have no symbol yet. Tables that cannot be read to their end
 * give none. */
static int find_symbols(const struct ph_image *image, struct ph_place *places, size_t count, struct ph_arena *text)
{
    struct ph_image packed = PH_IMAGE_NONE;
    struct ph_lookup lookup = {.queries = calloc(count + 1, sizeof(*lookup.queries))};
    int status = lookup.queries ? 0 : -ENOMEM;
    for (size_t i = 0; i < count && status == 0; i++)
        if (!places[i].symbol)
            lookup.queries[lookup.query_count++] = (struct ph_query){.address = places[i].address, .symbol = i};
    if (status == 0 && lookup.query_count)
        status = walk_tables(&lookup, image, &packed);
    if (status == 0 && lookup.query_count)
        status = ph_lookup_finish(&lookup, text);
    for (size_t i = 0; i < lookup.query_count && status == 0; i++)
        places[lookup.queries[i].symbol].symbol = lookup.queries[i].name;
    free(lookup.queries);
    ph_image_close(&packed);
    return status == -EIO || status == -EINVAL ? 0 : status;
}

static int name_from(const struct ph_image *image, struct ph_place *places, size_t count, struct ph_arena *text,
                     struct ph_profile *profile)
{
    if (image->file.fd < 0)
        return 0;
    int status = find_symbols(image, places, count, text);
    return status == 0 && image->has_dwarf ? ph_dwarf_find(&image->file, places, count, profile) : status;
}

/* Where no DWARF was: the symbol alone, perhaps with a line. */
static void use_symbol(struct ph_profile *profile, const struct ph_place *place)
{
    uint32_t string = ph_profile_string(profile, place->symbol);
    struct ph_function function = {.name = string, .system_name = string, .file = place->file};
    struct ph_line line = {.function = ph_profile_add_function(profile, &function), .line = place->line};
    if (line.function)
        ph_profile_set_lines(profile, place->location, &line, 1);
}

int ph_places_name(struct ph_profile *profile, const struct ph_module_files *files, struct ph_place *places,
                   size_t count)
{
    struct ph_arena text = PH_ARENA_INIT;
    uint64_t moved = prelinked(files);
    shift(places, count, -moved);
    int status = name_from(&files->debug, places, count, &text, profile);
    shift(places, count, moved);
    if (status == 0)
        status = name_from(&files->code, places, count, &text, profile);
    for (size_t i = 0; i < count && status == 0; i++)
        if (places[i].symbol && !places[i].is_named)
            use_symbol(profile, &places[i]);
    ph_arena_fini(&text);
    return status ? status : ph_profile_status(profile);
}
