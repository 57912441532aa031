#include "collect/heap_mappings.h"

#include <errno.h>
#include <stdlib.h>

int ph_heap_mappings_named(const struct ph_modules *modules, struct ph_profile *profile)
{
    for (int is_main = 1; is_main >= 0; is_main--) {
        for (size_t i = 0; i < modules->count; i++) {
            const struct ph_module *module = &modules->modules[i];
            struct ph_mapping mapping = {.start = module->start, .limit = module->limit, .offset = module->offset};
            if (module->is_main != is_main || !module->path[0])
                continue;
            mapping.file = ph_profile_string(profile, module->path);
            mapping.build_id = ph_profile_string(profile, module->build_id);
            ph_profile_add_mapping(profile, &mapping);
        }
    }
    return ph_profile_status(profile);
}

/* @numbers: for each mapping its new number, 0 if it leaves. Returns how many stay. */
static uint32_t number_used(const struct ph_profile *profile, uint32_t *numbers)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < profile->location_count; i++)
        if (profile->locations[i].mapping)
            numbers[profile->locations[i].mapping - 1] = 1;
    for (uint32_t i = 0; i < profile->mapping_count; i++)
        if (numbers[i])
            numbers[i] = ++count;
    return count;
}

static void keep_used(struct ph_profile *profile, const uint32_t *numbers, uint32_t count)
{
    for (uint32_t i = 0; i < profile->mapping_count; i++)
        if (numbers[i])
            profile->mappings[numbers[i] - 1] = profile->mappings[i];
    for (uint32_t i = 0; i < profile->location_count; i++)
        if (profile->locations[i].mapping)
            profile->locations[i].mapping = numbers[profile->locations[i].mapping - 1];
    profile->mapping_count = count;
}

static int add_build_ids(struct ph_scan maps, struct ph_profile *profile, uint64_t *starts, struct ph_error *error)
{
    struct ph_modules modules;
    for (uint32_t i = 0; i < profile->mapping_count; i++)
        starts[i] = profile->mappings[i].start;
    int status = ph_modules_self_used(maps.next, (size_t)(maps.end - maps.next), starts, profile->mapping_count,
                                      &modules, error);
    if (status < 0)
        return status;
    for (uint32_t i = 0; i < profile->mapping_count; i++) {
        const struct ph_module *module = ph_modules_find(&modules, starts[i]);
        if (!module)
            continue;
        profile->mappings[i].file = ph_profile_string(profile, module->path); /* unescaped */
        profile->mappings[i].build_id = ph_profile_string(profile, module->build_id);
    }
    ph_modules_fini(&modules);
    return ph_profile_status(profile);
}

int ph_heap_mappings_used(struct ph_scan maps, struct ph_profile *profile, struct ph_error *error)
{
    uint32_t *numbers = calloc((size_t)profile->mapping_count + 1, sizeof(*numbers));
    uint64_t *starts = calloc((size_t)profile->mapping_count + 1, sizeof(*starts));
    int status = -ENOMEM;
    if (numbers && starts) {
        keep_used(profile, numbers, number_used(profile, numbers));
        status = add_build_ids(maps, profile, starts, error);
    }
    free(numbers);
    free(starts);
    return status;
}
