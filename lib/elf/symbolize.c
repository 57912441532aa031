#include "elf/symbolize.h"

#include "elf/symbols.h"

#include <errno.h>
#include <stdlib.h>

/* Of which locations. */
struct range {
    uint32_t low, high;    /* numbers of mappings, high exclusive */
    const bool *is_wanted; /* of these, by number; NULL for all */
    uint32_t done_count;   /* of locations that are not looked for */
};

static bool is_in(const struct ph_location *location, const struct range *range)
{
    return location->mapping >= range->low && location->mapping < range->high &&
           (!range->is_wanted || range->is_wanted[location->mapping]);
}

static bool is_nameless(const struct ph_location *location)
{
    return location->line_count == 0 && location->address != 0;
}

/* Symbols and the numbers of the locations they are for. */
struct batch {
    struct ph_symbol *symbols;
    uint32_t *locations;
    size_t count;
};

static void collect(const struct ph_profile *profile, const struct range *range, struct batch *batch)
{
    for (uint32_t i = range->done_count; i < profile->location_count; i++) {
        if (!is_nameless(&profile->locations[i]) || !is_in(&profile->locations[i], range))
            continue;
        batch->symbols[batch->count] = (struct ph_symbol){.address = profile->locations[i].address};
        batch->locations[batch->count++] = i + 1;
    }
}

int ph_symbolize_name(struct ph_profile *profile, uint32_t location, const char *name)
{
    uint32_t string = ph_profile_string(profile, name);
    struct ph_function function = {.name = string, .system_name = string};
    struct ph_line line = {.function = ph_profile_add_function(profile, &function)};
    if (line.function == 0)
        return ph_profile_status(profile);
    return ph_profile_set_lines(profile, location, &line, 1);
}

static int set_names(struct ph_profile *profile, const struct batch *batch)
{
    int status = 0;
    for (size_t i = 0; i < batch->count && status == 0; i++)
        if (batch->symbols[i].name)
            status = ph_symbolize_name(profile, batch->locations[i], batch->symbols[i].name);
    return status;
}

/* A mapping with no location at all stays unmarked, as in Go's own profiles. */
static void mark_mappings(struct ph_profile *profile, const struct range *range)
{
    for (uint32_t i = 0; i < profile->location_count; i++)
        if (profile->locations[i].mapping && is_in(&profile->locations[i], range))
            profile->mappings[profile->locations[i].mapping - 1].has_functions = true;
    for (uint32_t i = 0; i < profile->location_count; i++)
        if (profile->locations[i].mapping && profile->locations[i].line_count == 0 &&
            is_in(&profile->locations[i], range))
            profile->mappings[profile->locations[i].mapping - 1].has_functions = false;
}

static int name_range(struct ph_profile *profile, const struct ph_modules *modules, const struct range *range)
{
    struct ph_arena text = PH_ARENA_INIT;
    size_t room = (size_t)profile->location_count + 1;
    struct batch batch = {calloc(room, sizeof(*batch.symbols)), calloc(room, sizeof(*batch.locations)), 0};
    int status = -ENOMEM;
    if (batch.symbols && batch.locations) {
        collect(profile, range, &batch);
        status = ph_symbols_find(modules, batch.symbols, batch.count, &text);
    }
    if (status == 0)
        status = set_names(profile, &batch);
    if (status == 0)
        mark_mappings(profile, range);
    ph_arena_fini(&text);
    free(batch.symbols);
    free(batch.locations);
    return status;
}

int ph_symbolize(struct ph_profile *profile, const struct ph_modules *modules)
{
    const struct range all = {.high = UINT32_MAX};
    return name_range(profile, modules, &all);
}

int ph_symbolize_first(struct ph_profile *profile, const struct ph_modules *modules, uint32_t mapping_count,
                       uint32_t done_count)
{
    const struct range first = {.low = 1, .high = mapping_count + 1, .done_count = done_count};
    return name_range(profile, modules, &first);
}

int ph_symbolize_wanted(struct ph_profile *profile, const struct ph_modules *modules, const bool *is_wanted)
{
    const struct range wanted = {.high = profile->mapping_count + 1, .is_wanted = is_wanted};
    return name_range(profile, modules, &wanted);
}
