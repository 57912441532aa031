#include "growth/frames.h"

#include "model/grow.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the number in a key means: a function and an address must not be taken for one another. */
enum key_kind { KEY_NAME = 1, KEY_ADDRESS, KEY_MODULE, KEY_PROCESS };

#define MODULES_MAX 1024 /* a process has some hundred; those of a file made up by somebody go by what they say */

struct module {
    uint32_t name, build_id; /* strings of known */
    uint32_t key;            /* a string, too: what tells its addresses from those of others */
};

/* One of all profiles so far. */
struct ph_frame_module {
    struct module module;
};

struct mapper {
    struct ph_frames *frames;
    struct ph_filter_view *view;
    struct ph_frame_map *map;
    uint32_t *strings;      /* of the profile, to those of known; 0 until needed */
    struct module *modules; /* by mapping number; 0 is of locations without one */
};

int ph_frames_init(struct ph_frames *frames, enum ph_growth_by by, struct ph_profile *known)
{
    *frames = (struct ph_frames){.by = by, .known = known};
    return known ? 0 : -ENOMEM;
}

void ph_frames_fini(struct ph_frames *frames)
{
    free(frames->entries);
    free(frames->modules);
    *frames = (struct ph_frames){0};
}

static const char *text(const struct mapper *mapper, uint32_t string)
{
    return ph_profile_text(mapper->frames->known, string);
}

static uint32_t known_string(struct mapper *mapper, uint32_t string)
{
    const struct ph_string *from = &mapper->view->profile->strings[string];
    if (string && mapper->strings[string] == 0)
        mapper->strings[string] = ph_profile_string_n(mapper->frames->known, from->text, from->size_bytes);
    return mapper->strings[string];
}

/* ---- keys ---- */

struct key {
    enum key_kind kind;
    uint32_t string;
    uint64_t number;  /* line, or offset */
    uint32_t inlined; /* by address: how many calls were inlined into it here, so that they stay apart */
};

/* Keys are kept as locations of a profile, which finds equal ones fast; nobody reads them as such. */
static uint32_t find_frame(struct ph_frames *frames, const struct key *key, const struct ph_frame *frame)
{
    uint32_t count = frames->known->location_count;
    struct ph_line packed = {key->string, (int64_t)key->kind, key->inlined};
    if (ph_grow(&frames->entries, sizeof(*frames->entries), count, 1) < 0)
        return PH_INDEX_NONE;
    uint32_t location = ph_profile_add_location(frames->known, 0, key->number, false, &packed, 1);
    if (location == count + 1)
        frames->entries[count] = *frame;
    return location ? location - 1 : PH_INDEX_NONE;
}

static uint64_t file_offset(const struct mapper *mapper, const struct ph_location *location)
{
    if (location->mapping == 0)
        return location->address;
    const struct ph_mapping *mapping = &mapper->view->profile->mappings[location->mapping - 1];
    return location->address - mapping->start + mapping->offset;
}

/* "libc.so.6+0x1234"; the bare address where the module is unknown, too. */
static uint32_t offset_name(struct mapper *mapper, uint32_t module, uint64_t offset)
{
    char name[PH_ERROR_TEXT_MAX];
    snprintf(name, sizeof(name), "%.200s%s0x%" PRIx64, text(mapper, module), module ? "+" : "", offset);
    return ph_profile_string(mapper->frames->known, name);
}

static uint32_t find_module(struct mapper *mapper, const struct module *module)
{
    uint32_t shown = module->name ? module->name : ph_profile_string(mapper->frames->known, "[unknown]");
    struct ph_frame frame = {.function = shown, .module = module->name, .build_id = module->build_id};
    return find_frame(mapper->frames, &(struct key){KEY_MODULE, module->name, 0, 0}, &frame);
}

static uint32_t find_unnamed(struct mapper *mapper, const struct module *module, const struct ph_location *location)
{
    uint64_t offset = file_offset(mapper, location);
    struct key key = {KEY_ADDRESS, module->key, offset, 0};
    struct ph_frame frame = {
        .function = offset_name(mapper, module->name, offset),
        .module = module->name,
        .build_id = module->build_id,
        .offset = offset,
    };
    return find_frame(mapper->frames, &key, &frame);
}

/* The function of @line; @inlined: how many lines of the location are before it. */
static uint32_t find_named(struct mapper *mapper, const struct module *module, const struct ph_location *location,
                           uint32_t inlined)
{
    const struct ph_profile *profile = mapper->view->profile;
    const struct ph_line *line = &profile->lines[location->first_line + inlined];
    const struct ph_function *function = &profile->functions[line->function - 1];
    bool by_address = mapper->frames->by == PH_BY_ADDRESS && (location->address || location->mapping);
    bool has_line = mapper->frames->by == PH_BY_LINE || by_address;
    uint64_t offset = by_address ? file_offset(mapper, location) : 0;
    struct key key = {KEY_NAME, known_string(mapper, function->name), has_line ? (uint64_t)line->line : 0, 0};
    if (by_address)
        key = (struct key){KEY_ADDRESS, module->key, offset, inlined};
    struct ph_frame frame = {
        .function = known_string(mapper, function->name),
        .file = known_string(mapper, function->file),
        .module = module->name,
        .build_id = module->build_id,
        .line = has_line ? line->line : 0,
        .offset = offset,
    };
    return find_frame(mapper->frames, &key, &frame);
}

uint32_t ph_frames_of_process(struct ph_frames *frames, const char *pid)
{
    char name[64];
    snprintf(name, sizeof(name), "process %.40s", pid);
    struct ph_frame frame = {.function = ph_profile_string(frames->known, name)};
    return find_frame(frames, &(struct key){KEY_PROCESS, frame.function, 0, 0}, &frame);
}

/* ---- locations ---- */

static bool has_name(const struct ph_profile *profile, const struct ph_line *line)
{
    return line->function && *ph_profile_text(profile, profile->functions[line->function - 1].name);
}

static int put_frame(struct mapper *mapper, uint32_t frame)
{
    struct ph_frame_map *map = mapper->map;
    if (frame == PH_INDEX_NONE || ph_grow(&map->frames, sizeof(*map->frames), map->count, 1) < 0)
        return -ENOMEM;
    map->frames[map->count++] = frame;
    return 0;
}

static int map_lines(struct mapper *mapper, const struct module *module, const struct ph_location *location)
{
    const struct ph_profile *profile = mapper->view->profile;
    int status = 0;
    for (uint32_t i = 0; i < location->line_count && status == 0; i++) {
        const struct ph_line *line = &profile->lines[location->first_line + i];
        if (ph_filter_hides(mapper->view, location, line))
            continue;
        status = put_frame(mapper, has_name(profile, line) ? find_named(mapper, module, location, i)
                                                           : find_unnamed(mapper, module, location));
    }
    return status;
}

static int map_location(struct mapper *mapper, const struct ph_location *location)
{
    const struct module *module = &mapper->modules[location->mapping];
    if (location->line_count && mapper->frames->by != PH_BY_MODULE)
        return map_lines(mapper, module, location);
    if (ph_filter_hides(mapper->view, location, NULL))
        return 0;
    return put_frame(mapper, mapper->frames->by == PH_BY_MODULE ? find_module(mapper, module)
                                                                : find_unnamed(mapper, module, location));
}

static int map_locations(struct mapper *mapper)
{
    const struct ph_profile *profile = mapper->view->profile;
    int status = 0;
    for (uint32_t i = 0; i < profile->location_count && status == 0; i++) {
        status = map_location(mapper, &profile->locations[i]);
        mapper->map->starts[i + 1] = mapper->map->count;
    }
    return status;
}

/* "/usr/lib/libc.so.6 (deleted)" is "libc.so.6". */
static uint32_t module_name(struct mapper *mapper, const char *file)
{
    static const char deleted[] = " (deleted)";
    const char *slash = strrchr(file, '/');
    const char *base = slash ? slash + 1 : file;
    size_t length = strlen(base);
    if (length >= sizeof(deleted) && strcmp(base + length - (sizeof(deleted) - 1), deleted) == 0)
        length -= sizeof(deleted) - 1;
    return ph_profile_string_n(mapper->frames->known, base, length);
}

/* The same build under any name, or the same name of which one build id is unknown. */
static bool is_same_module(const struct module *known, const struct module *module)
{
    if (known->build_id && module->build_id)
        return known->build_id == module->build_id;
    return known->name == module->name;
}

static int set_key(struct ph_frames *frames, struct module *module)
{
    for (uint32_t i = 0; i < frames->module_count; i++) {
        struct module *known = &frames->modules[i].module;
        if (!is_same_module(known, module))
            continue;
        if (!known->build_id)
            known->build_id = module->build_id;
        module->key = known->key;
        return 0;
    }
    module->key = module->build_id ? module->build_id : module->name;
    if (frames->module_count == MODULES_MAX)
        return 0;
    if (ph_grow(&frames->modules, sizeof(*frames->modules), frames->module_count, 1) < 0)
        return -ENOMEM;
    frames->modules[frames->module_count++].module = *module;
    return 0;
}

/* A file is mapped in pieces, one after the other. */
static int find_modules(struct mapper *mapper)
{
    const struct ph_profile *profile = mapper->view->profile;
    int status = 0;
    for (uint32_t i = 0; i < profile->mapping_count && status == 0; i++) {
        const struct ph_mapping *mapping = &profile->mappings[i];
        struct module *module = &mapper->modules[i + 1];
        *module = (struct module){module_name(mapper, ph_profile_text(profile, mapping->file)),
                                  known_string(mapper, mapping->build_id), 0};
        if (i && module->name == module[-1].name && module->build_id == module[-1].build_id)
            module->key = module[-1].key;
        else
            status = set_key(mapper->frames, module);
    }
    return status;
}

int ph_frame_map_init(struct ph_frame_map *map, struct ph_frames *frames, struct ph_filter_view *view)
{
    const struct ph_profile *profile = view->profile;
    struct mapper mapper = {.frames = frames, .view = view, .map = map};
    *map = (struct ph_frame_map){0};
    map->starts = calloc((size_t)profile->location_count + 1, sizeof(*map->starts));
    mapper.strings = calloc(profile->string_count, sizeof(*mapper.strings));
    mapper.modules = calloc((size_t)profile->mapping_count + 1, sizeof(*mapper.modules));
    int status = map->starts && mapper.strings && mapper.modules ? 0 : -ENOMEM;
    if (status == 0)
        status = find_modules(&mapper);
    if (status == 0)
        status = map_locations(&mapper);
    if (status == 0)
        status = ph_profile_status(frames->known);
    free(mapper.strings);
    free(mapper.modules);
    if (status < 0)
        ph_frame_map_fini(map);
    return status;
}

void ph_frame_map_fini(struct ph_frame_map *map)
{
    free(map->starts);
    free(map->frames);
    *map = (struct ph_frame_map){0};
}
