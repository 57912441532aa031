#include "elf/symbolize.h"

#include "elf/symbols.h"

#include <errno.h>
#include <stdlib.h>

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

static void collect(const struct ph_profile *profile, struct batch *batch)
{
    for (uint32_t i = 0; i < profile->location_count; i++) {
        if (!is_nameless(&profile->locations[i]))
            continue;
        batch->symbols[batch->count] = (struct ph_symbol){.address = profile->locations[i].address};
        batch->locations[batch->count++] = i + 1;
    }
}

static int set_name(struct ph_profile *profile, uint32_t location, const char *name)
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
            status = set_name(profile, batch->locations[i], batch->symbols[i].name);
    return status;
}

/* A mapping with no location at all stays unmarked, as in Go's own profiles. */
static void mark_mappings(struct ph_profile *profile)
{
    for (uint32_t i = 0; i < profile->location_count; i++)
        if (profile->locations[i].mapping)
            profile->mappings[profile->locations[i].mapping - 1].has_functions = true;
    for (uint32_t i = 0; i < profile->location_count; i++)
        if (profile->locations[i].mapping && profile->locations[i].line_count == 0)
            profile->mappings[profile->locations[i].mapping - 1].has_functions = false;
}

int ph_symbolize(struct ph_profile *profile, const struct ph_modules *modules)
{
    struct ph_arena text = PH_ARENA_INIT;
    size_t room = (size_t)profile->location_count + 1;
    struct batch batch = {calloc(room, sizeof(*batch.symbols)), calloc(room, sizeof(*batch.locations)), 0};
    int status = -ENOMEM;
    if (batch.symbols && batch.locations) {
        collect(profile, &batch);
        status = ph_symbols_find(modules, batch.symbols, batch.count, &text);
    }
    if (status == 0)
        status = set_names(profile, &batch);
    if (status == 0)
        mark_mappings(profile);
    ph_arena_fini(&text);
    free(batch.symbols);
    free(batch.locations);
    return status;
}
