#include "elf/offline.h"

#include "elf/place_names.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX    4096 /* looked for; a hostile profile may name a million */
#define WARNINGS_MAX 4 /* told in full: a profile from another machine has a hundred libraries that do not match */

/* A location to name. Those of one file lie side by side once sorted. */
struct wanted {
    uint32_t group; /* the first mapping of the same file; 0: none */
    uint32_t location;
    uint32_t line_count, first_line; /* what it had before */
};

struct work {
    struct ph_profile *profile;
    const struct ph_modules *modules;
    const struct ph_symbol_sources *asked;
    struct ph_symbol_sources sources; /* the same, but we hear the warnings first */
    size_t warning_count;
    bool is_binary_told; /* that it is not used, and why */
    uint32_t *groups;    /* by mapping number */
};

/* ---- warnings ---- */

static void pass_on(void *context, const char *text)
{
    struct work *work = context;
    const char *binary = work->asked->binary;
    work->is_binary_told |= binary && strncmp(text, binary, strlen(binary)) == 0;
    if (work->warning_count++ < WARNINGS_MAX)
        work->asked->warn(work->asked->context, text);
}

static void sum_up(const struct work *work)
{
    char text[96];
    if (work->warning_count <= WARNINGS_MAX)
        return;
    snprintf(text, sizeof(text), "%zu more files do not match the profile and are not used",
             work->warning_count - WARNINGS_MAX);
    work->asked->warn(work->asked->context, text);
}

/* ---- which mappings are of one file ---- */

static int compare_files(const struct ph_mapping *a, const struct ph_mapping *b)
{
    int order = (a->file > b->file) - (a->file < b->file);
    return order ? order : (a->build_id > b->build_id) - (a->build_id < b->build_id);
}

static int by_file(const void *a, const void *b, void *profile)
{
    const struct ph_mapping *mappings = ((const struct ph_profile *)profile)->mappings;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    int order = compare_files(&mappings[left - 1], &mappings[right - 1]);
    return order ? order : (left > right) - (left < right);
}

static int make_groups(struct work *work)
{
    uint32_t count = work->profile->mapping_count;
    uint32_t *order = calloc((size_t)count + 1, sizeof(*order));
    work->groups = calloc((size_t)count + 1, sizeof(*work->groups));
    if (order && work->groups) {
        for (uint32_t i = 0; i < count; i++)
            order[i] = i + 1;
        qsort_r(order, count, sizeof(*order), by_file, work->profile);
        for (uint32_t i = 0, first = 0; i < count; i++) {
            const struct ph_mapping *mappings = work->profile->mappings;
            if (compare_files(&mappings[order[i] - 1], &mappings[order[first] - 1]) != 0)
                first = i;
            work->groups[order[i]] = order[first];
        }
    }
    bool fits = order && work->groups;
    free(order);
    return fits ? 0 : -ENOMEM;
}

/* ---- which locations want a name ---- */

static int by_group(const void *a, const void *b)
{
    const struct wanted *left = a, *right = b;
    int order = (left->group > right->group) - (left->group < right->group);
    return order ? order : (left->location > right->location) - (left->location < right->location);
}

/* A profile from a running program has functions only; with the same build at hand there is more to be had. */
static bool lacks_line(const struct work *work, const struct ph_location *location)
{
    const struct ph_profile *profile = work->profile;
    return work->sources.wants_lines && location->line_count == 1 && location->mapping &&
           profile->lines[location->first_line].line == 0 && profile->mappings[location->mapping - 1].build_id;
}

static size_t collect(const struct work *work, struct wanted *wanted)
{
    const struct ph_profile *profile = work->profile;
    size_t count = 0;
    for (uint32_t i = 0; i < profile->location_count; i++) {
        const struct ph_location *location = &profile->locations[i];
        bool has_file = location->mapping || (profile->mapping_count == 0 && work->sources.binary);
        if ((location->line_count == 0 || lacks_line(work, location)) && location->address && has_file)
            wanted[count++] =
                (struct wanted){work->groups[location->mapping], i + 1, location->line_count, location->first_line};
    }
    qsort(wanted, count, sizeof(*wanted), by_group);
    return count;
}

/* Takes the functions away for the time of the search, and gives them back where it finds no line. Locations keep the place
 * of their lines. */
static void set_aside(struct work *work, const struct wanted *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++)
        work->profile->locations[wanted[i].location - 1].line_count = 0;
}

static void give_back(struct work *work, const struct wanted *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct ph_location *location = &work->profile->locations[wanted[i].location - 1];
        bool has_line = location->line_count && work->profile->lines[location->first_line].line > 0;
        if (wanted[i].line_count && !has_line) {
            location->first_line = wanted[i].first_line;
            location->line_count = wanted[i].line_count;
        }
    }
}

/* ---- from run-time addresses to those in the file ---- */

/* Without the file that holds the code nobody tells where a mapping began in it; but the segments with code of its
 * debug file are mapped in their order. */
static bool bias_by_order(const struct work *work, const struct ph_image *debug, uint32_t number,
                          uint64_t *ret_bias)
{
    const struct ph_mapping *mappings = work->profile->mappings, *mapping = &mappings[number - 1];
    uint32_t before = 0;
    for (uint32_t i = 0; i < work->profile->mapping_count; i++)
        before += compare_files(&mappings[i], mapping) == 0 && mappings[i].offset < mapping->offset;
    for (size_t i = 0; i < debug->segment_count; i++) {
        if (!debug->segments[i].is_code || before-- > 0)
            continue;
        *ret_bias = mapping->start - (debug->segments[i].address & ~(uint64_t)0xfff);
        return true;
    }
    return false;
}

static bool find_bias(const struct work *work, const struct ph_module_files *files, uint32_t mapping,
                      uint64_t *ret_bias)
{
    if (mapping == 0) {
        *ret_bias = 0;
        return true;
    }
    if (files->code.file.fd >= 0)
        return ph_image_bias(&files->code, &work->profile->mappings[mapping - 1], ret_bias);
    return bias_by_order(work, &files->debug, mapping, ret_bias);
}

/* The places in the file with the code (or, without one, in the debug file), sorted. Returns how many. */
static size_t make_places(const struct work *work, const struct ph_module_files *files, const struct wanted *wanted,
                          size_t count, struct ph_place *places)
{
    size_t made = 0;
    uint32_t known_mapping = UINT32_MAX;
    bool is_known = false;
    uint64_t bias = 0;
    for (size_t i = 0; i < count; i++) {
        const struct ph_location *location = ph_profile_location(work->profile, wanted[i].location);
        if (location->mapping != known_mapping)
            is_known = find_bias(work, files, location->mapping, &bias);
        known_mapping = location->mapping;
        if (is_known)
            places[made++] = (struct ph_place){.address = location->address - bias, .location = wanted[i].location};
    }
    ph_places_sort(places, made);
    return made;
}

/* ---- one file ---- */

/* Old Go tools write ids of their own there: nothing to compare with. */
static bool is_build_id(const char *text)
{
    size_t digits = 0;
    for (; isxdigit((unsigned char)*text); text++)
        digits++;
    return *text == '\0' && digits >= 2 && digits % 2 == 0 && digits < PH_BUILD_ID_TEXT_MAX;
}

static struct ph_wanted_module describe(const struct work *work, uint32_t group, char *ret_build_id)
{
    struct ph_wanted_module module = {.path = "", .build_id = ret_build_id, .is_main = group <= 1};
    ret_build_id[0] = '\0';
    if (group == 0)
        return module;
    const struct ph_mapping *mapping = &work->profile->mappings[group - 1];
    const char *build_id = ph_profile_text(work->profile, mapping->build_id);
    module.path = ph_profile_text(work->profile, mapping->file);
    for (size_t i = 0; is_build_id(build_id) && i <= strlen(build_id); i++)
        ret_build_id[i] = (char)tolower((unsigned char)build_id[i]);
    const struct ph_module *mapped = work->modules ? ph_modules_find(work->modules, mapping->start) : NULL;
    if (mapped && !mapped->deleted)
        module.inode = mapped->inode;
    return module;
}

/* What we know now of the module, for stacks to match across restarts. */
static void set_build_id(struct work *work, uint32_t group, const struct ph_module_files *files)
{
    struct ph_profile *profile = work->profile;
    const char *build_id = files->code.file.fd >= 0 ? files->code.tables.build_id : "";
    for (uint32_t i = 0; group && build_id[0] && i < profile->mapping_count; i++)
        if (work->groups[i + 1] == group && profile->mappings[i].build_id == 0)
            profile->mappings[i].build_id = ph_profile_string(profile, build_id);
}

static int name_group(struct work *work, const struct wanted *wanted, size_t count)
{
    char build_id[PH_BUILD_ID_TEXT_MAX];
    struct ph_wanted_module module = describe(work, wanted->group, build_id);
    struct ph_module_files files;
    if (strncmp(module.path, "[", 1) == 0)
        return 0; /* [vdso] */
    int status = ph_module_files_find(&work->sources, &module, &files);
    if (status < 0)
        return status;
    struct ph_place *places = calloc(count, sizeof(*places));
    status = places ? 0 : -ENOMEM;
    if (status == 0 && (files.code.file.fd >= 0 || files.debug.file.fd >= 0)) {
        size_t found = make_places(work, &files, wanted, count, places);
        status = ph_places_name(work->profile, &files, places, found);
        set_build_id(work, wanted->group, &files);
    }
    free(places);
    ph_module_files_fini(&files);
    return status;
}

/* ---- the whole ---- */

/* pprof names all of a mapping anew, and often worse, unless that claims to have functions, files and lines. It has the
 * same files as we had: what we did not find there, it will not find either. Mappings with nothing to name stay. */
static void mark_mappings(struct ph_profile *profile, const uint32_t *touched)
{
    for (uint32_t i = 0; i < profile->location_count; i++) {
        const struct ph_location *location = &profile->locations[i];
        if (!location->mapping || !touched[location->mapping] || location->line_count == 0)
            continue;
        struct ph_mapping *mapping = &profile->mappings[location->mapping - 1];
        const struct ph_line *line = &profile->lines[location->first_line];
        mapping->has_functions = true;
        if (line->line > 0 && profile->functions[line->function - 1].file)
            mapping->has_filenames = mapping->has_line_numbers = mapping->has_inline_frames = true;
    }
}

static void note_touched(struct work *work, const struct wanted *wanted, size_t count)
{
    memset(work->groups, 0, ((size_t)work->profile->mapping_count + 1) * sizeof(*work->groups));
    for (size_t i = 0; i < count; i++)
        work->groups[ph_profile_location(work->profile, wanted[i].location)->mapping] = 1;
}

static int name_all(struct work *work, const struct wanted *wanted, size_t count)
{
    int status = 0;
    size_t file_count = 0;
    for (size_t first = 0, next; first < count && status == 0 && file_count < FILES_MAX; first = next) {
        for (next = first + 1; next < count && wanted[next].group == wanted[first].group;)
            next++;
        status = name_group(work, wanted + first, next - first);
        file_count++;
    }
    return status;
}

static void judge_binary(const struct work *work, const struct wanted *wanted, size_t count)
{
    char build_id[PH_BUILD_ID_TEXT_MAX];
    size_t named_count = 0, main_count = 0;
    if (work->is_binary_told)
        return;
    for (; main_count < count && wanted[main_count].group <= 1; main_count++)
        named_count += ph_profile_location(work->profile, wanted[main_count].location)->line_count > 0;
    describe(work, work->profile->mapping_count ? 1 : 0, build_id);
    ph_binary_judge(work->asked, build_id, main_count, named_count);
}

int ph_offline_symbolize(struct ph_profile *profile, const struct ph_modules *modules,
                         const struct ph_symbol_sources *sources)
{
    struct work work = {.profile = profile, .modules = modules, .asked = sources, .sources = *sources};
    work.sources.warn = sources->warn ? pass_on : NULL;
    work.sources.context = &work;
    struct wanted *wanted = calloc((size_t)profile->location_count + 1, sizeof(*wanted));
    int status = wanted ? make_groups(&work) : -ENOMEM;
    if (status == 0) {
        size_t count = collect(&work, wanted);
        set_aside(&work, wanted, count);
        status = name_all(&work, wanted, count);
        give_back(&work, wanted, count);
        note_touched(&work, wanted, count);
        mark_mappings(profile, work.groups);
        judge_binary(&work, wanted, count);
        sum_up(&work);
    }
    free(work.groups);
    free(wanted);
    return status ? status : ph_profile_status(profile);
}
