#include "collect/heap_mappings.h"

#include "model/maps.h"

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

int ph_heap_mappings_loaded(const struct ph_loaded *loaded, struct ph_profile *profile)
{
    for (size_t i = 0; i < loaded->count; i++) {
        struct ph_mapping mapping = {.start = loaded->files[i].start, .limit = loaded->files[i].limit};
        ph_profile_add_mapping(profile, &mapping);
    }
    return ph_profile_status(profile);
}

static bool tell_file(const struct ph_loaded_file *file, const struct ph_memory *memory, struct ph_profile *profile,
                      struct ph_mapping *ret_mapping)
{
    struct ph_loaded_code code;
    if (!ph_loaded_tell(file, memory, &code))
        return false;
    *ret_mapping = (struct ph_mapping){
        .start = code.start,
        .limit = code.limit,
        .offset = code.offset,
        .file = ph_profile_string(profile, code.path),
        .build_id = ph_profile_string(profile, code.build_id),
    };
    return true;
}

static bool tell_files(const struct ph_loaded *loaded, struct ph_profile *profile, const uint32_t *numbers)
{
    struct ph_memory memory;
    bool is_told = true;
    ph_memory_open(&memory);
    for (size_t i = 0; i < loaded->count && is_told; i++)
        if (numbers[i])
            is_told = tell_file(&loaded->files[i], &memory, profile, &profile->mappings[i]);
    ph_memory_close(&memory);
    return is_told;
}

static bool is_all_inside(const struct ph_profile *profile)
{
    for (uint32_t i = 0; i < profile->location_count; i++) {
        const struct ph_location *location = &profile->locations[i];
        if (location->mapping == 0)
            return false;
        const struct ph_mapping *mapping = &profile->mappings[location->mapping - 1];
        if (location->address < mapping->start || location->address >= mapping->limit)
            return false;
    }
    return true;
}

int ph_heap_mappings_loaded_used(const struct ph_loaded *loaded, struct ph_profile *profile)
{
    uint32_t *numbers = calloc((size_t)profile->mapping_count + 1, sizeof(*numbers));
    if (!numbers)
        return -ENOMEM;
    uint32_t count = number_used(profile, numbers);
    bool is_told = tell_files(loaded, profile, numbers) && is_all_inside(profile);
    if (is_told)
        keep_used(profile, numbers, count);
    free(numbers);
    return is_told ? ph_profile_status(profile) : -ENOENT;
}

static int find_again(struct ph_profile *profile)
{
    struct ph_map_finder finder;
    int status = ph_map_finder_init(&finder, profile);
    if (status < 0)
        return status;
    for (uint32_t i = 0; i < profile->location_count; i++)
        profile->locations[i].mapping = ph_map_find(&finder, profile->locations[i].address);
    ph_map_finder_fini(&finder);
    return 0;
}

int ph_heap_mappings_instead(struct ph_scan maps, struct ph_profile *profile, struct ph_error *error)
{
    profile->mapping_count = 0;
    int status = ph_maps_read(profile, maps);
    if (status == 0)
        status = find_again(profile);
    return status < 0 ? status : ph_heap_mappings_used(maps, profile, error);
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
