#include "model/merge.h"

#include "model/check_types.h"
#include "model/grow.h"
#include "model/intern.h"

#include <errno.h>
#include <stdlib.h>

#define SIZE_ROUNDING UINT64_C(0x1000) /* google/pprof, profile/merge.go: mapsizeRounding */

/* What finds mappings and comments of the merged profile: a hostile one may have millions. */
struct seen {
    struct ph_profile *into;
    struct ph_index mappings, comments;
};

struct merger {
    struct seen *seen;
    struct ph_profile *into;
    const struct ph_profile *from;
    /* By number in @from, to numbers in @into; all but mappings 0 until they are needed. */
    uint32_t *strings, *mappings, *functions, *locations;
    uint32_t *frames; /* of the sample being added */
    struct ph_label *labels;
    struct ph_line *lines;
    struct ph_label more; /* that each sample gets; its key is 0 for none */
};

/* ---- header ---- */

static uint32_t copy_string(struct merger *merger, uint32_t string)
{
    const struct ph_string *from = &merger->from->strings[string];
    if (merger->strings[string] == 0)
        merger->strings[string] = ph_profile_string_n(merger->into, from->text, from->size_bytes);
    return merger->strings[string];
}

static struct ph_value_type copy_type(struct merger *merger, const struct ph_value_type *type)
{
    return (struct ph_value_type){copy_string(merger, type->type), copy_string(merger, type->unit)};
}

static bool comment_equal(const void *owner, uint32_t number, const void *key)
{
    return ((const struct seen *)owner)->into->comments[number] == *(const uint32_t *)key;
}

static void copy_comments(struct merger *merger)
{
    struct ph_profile *into = merger->into;
    struct ph_index *index = &merger->seen->comments;
    for (uint32_t i = 0; i < merger->from->comment_count && into->status == 0; i++) {
        uint32_t string = copy_string(merger, merger->from->comments[i]);
        uint64_t hash = ph_hash_u64(string);
        if (ph_index_find(index, hash, comment_equal, merger->seen, &string) != PH_INDEX_NONE)
            continue;
        int status = ph_grow(&into->comments, sizeof(*into->comments), into->comment_count, 1);
        if (status == 0)
            status = ph_index_add(index, hash, into->comment_count);
        if (ph_profile_keep_status(into, status))
            into->comments[into->comment_count++] = string;
    }
}

/* What only the first profile decides. */
static void copy_first_header(struct merger *merger)
{
    struct ph_profile *into = merger->into;
    const struct ph_profile *from = merger->from;
    for (uint32_t i = 0; i < from->type_count; i++)
        into->types[i] = copy_type(merger, &from->types[i]);
    into->type_count = from->type_count;
    into->period_type = copy_type(merger, &from->period_type);
    into->drop_frames = copy_string(merger, from->drop_frames);
    into->keep_frames = copy_string(merger, from->keep_frames);
}

static void copy_header(struct merger *merger)
{
    struct ph_profile *into = merger->into;
    const struct ph_profile *from = merger->from;
    if (into->time_ns == 0 || (from->time_ns && from->time_ns < into->time_ns))
        into->time_ns = from->time_ns;
    into->duration_ns = ph_add_saturating(into->duration_ns, from->duration_ns);
    if (from->period > into->period)
        into->period = from->period;
    if (into->default_type == 0)
        into->default_type = copy_string(merger, from->default_type);
    copy_comments(merger);
}

/* ---- mappings ---- */

static uint64_t rounded_size(const struct ph_mapping *mapping)
{
    return (mapping->limit - mapping->start + SIZE_ROUNDING - 1) & ~(SIZE_ROUNDING - 1);
}

/* What tells the file; a number of the merged profile. */
static uint32_t identity(const struct ph_mapping *mapping)
{
    return mapping->build_id ? mapping->build_id : mapping->file;
}

static bool mapping_equal(const void *owner, uint32_t number, const void *key)
{
    const struct ph_mapping *a = &((const struct seen *)owner)->into->mappings[number], *b = key;
    return rounded_size(a) == rounded_size(b) && a->offset == b->offset && !a->build_id == !b->build_id &&
           identity(a) == identity(b);
}

/* Names are complete only if they are in every profile: pprof asks for missing ones otherwise. */
static void join_flags(struct ph_mapping *into, const struct ph_mapping *from)
{
    into->has_functions &= from->has_functions;
    into->has_filenames &= from->has_filenames;
    into->has_line_numbers &= from->has_line_numbers;
    into->has_inline_frames &= from->has_inline_frames;
}

static uint32_t merge_mapping(struct merger *merger, uint32_t place)
{
    struct ph_profile *into = merger->into;
    struct ph_mapping mapping = merger->from->mappings[place];
    mapping.file = copy_string(merger, mapping.file);
    mapping.build_id = copy_string(merger, mapping.build_id);
    uint64_t hash = ph_hash_u64(ph_hash_u64(rounded_size(&mapping) + mapping.offset * 31) + identity(&mapping));
    uint32_t found = ph_index_find(&merger->seen->mappings, hash, mapping_equal, merger->seen, &mapping);
    if (found != PH_INDEX_NONE) {
        join_flags(&into->mappings[found], &mapping);
        return found + 1;
    }
    int status = ph_index_add(&merger->seen->mappings, hash, into->mapping_count);
    return ph_profile_keep_status(into, status) ? ph_profile_add_mapping(into, &mapping) : 0;
}

/* All of them, in their order, so that the main binary of the first profile stays first. */
static void merge_mappings(struct merger *merger)
{
    for (uint32_t i = 0; i < merger->from->mapping_count && merger->into->status == 0; i++)
        merger->mappings[i] = merge_mapping(merger, i);
}

/* ---- functions, locations, samples: those that are used ---- */

static uint32_t merge_function(struct merger *merger, uint32_t number)
{
    uint32_t *merged = &merger->functions[number - 1];
    if (*merged)
        return *merged;
    struct ph_function function = merger->from->functions[number - 1];
    function.name = copy_string(merger, function.name);
    function.system_name = copy_string(merger, function.system_name);
    function.file = copy_string(merger, function.file);
    return *merged = ph_profile_add_function(merger->into, &function);
}

static int merge_lines(struct merger *merger, const struct ph_location *location)
{
    int status = ph_grow(&merger->lines, sizeof(*merger->lines), 0, location->line_count);
    for (uint32_t i = 0; i < location->line_count && status == 0; i++) {
        merger->lines[i] = merger->from->lines[location->first_line + i];
        merger->lines[i].function = merge_function(merger, merger->lines[i].function);
    }
    return status;
}

static uint32_t merge_location(struct merger *merger, uint32_t number)
{
    uint32_t *merged = &merger->locations[number - 1];
    if (*merged)
        return *merged;
    const struct ph_location *location = ph_profile_location(merger->from, number);
    uint32_t mapping = 0;
    uint64_t address = location->address;
    if (location->mapping) {
        mapping = merger->mappings[location->mapping - 1];
        if (mapping)
            address +=
                merger->into->mappings[mapping - 1].start - merger->from->mappings[location->mapping - 1].start;
    }
    if (!ph_profile_keep_status(merger->into, merge_lines(merger, location)))
        return 0;
    return *merged = ph_profile_add_location(merger->into, mapping, address, location->is_folded, merger->lines,
                                             location->line_count);
}

static int merge_frames(struct merger *merger, const struct ph_sample *sample)
{
    int status = ph_grow(&merger->frames, sizeof(*merger->frames), 0, sample->frame_count);
    for (uint32_t i = 0; i < sample->frame_count && status == 0; i++)
        merger->frames[i] = merge_location(merger, merger->from->frames[sample->first_frame + i]);
    return status;
}

/* @ret_count: how many there are in merger->labels. */
static int merge_labels(struct merger *merger, const struct ph_sample *sample, uint32_t *ret_count)
{
    int status = ph_grow(&merger->labels, sizeof(*merger->labels), 0, (size_t)sample->label_count + 1);
    bool has_more = merger->more.key == 0;
    for (uint32_t i = 0; i < sample->label_count && status == 0; i++) {
        struct ph_label label = merger->from->labels[sample->first_label + i];
        label.key = copy_string(merger, label.key);
        label.text = copy_string(merger, label.text);
        label.unit = copy_string(merger, label.unit);
        has_more |= label.key == merger->more.key;
        merger->labels[i] = label;
    }
    if (status == 0 && !has_more)
        merger->labels[sample->label_count] = merger->more;
    *ret_count = sample->label_count + !has_more;
    return status;
}

static bool is_zero(const struct ph_profile *profile, uint32_t sample)
{
    const int64_t *values = ph_profile_values(profile, sample);
    int64_t any = 0;
    for (uint32_t i = 0; i < profile->type_count; i++)
        any |= values[i];
    return any == 0;
}

static void merge_sample(struct merger *merger, uint32_t place)
{
    const struct ph_sample *sample = &merger->from->samples[place];
    uint32_t label_count = 0;
    int status = merge_frames(merger, sample);
    if (status == 0)
        status = merge_labels(merger, sample, &label_count);
    if (ph_profile_keep_status(merger->into, status))
        ph_profile_add_sample(merger->into, merger->frames, sample->frame_count, merger->labels, label_count,
                              ph_profile_values(merger->from, place));
}

/* ---- the whole ---- */

static int init_merger(struct merger *merger)
{
    const struct ph_profile *from = merger->from;
    merger->strings = calloc((size_t)from->string_count + 1, sizeof(*merger->strings));
    merger->mappings = calloc((size_t)from->mapping_count + 1, sizeof(*merger->mappings));
    merger->functions = calloc((size_t)from->function_count + 1, sizeof(*merger->functions));
    merger->locations = calloc((size_t)from->location_count + 1, sizeof(*merger->locations));
    bool ready = merger->strings && merger->mappings && merger->functions && merger->locations;
    return ready ? from->status : -ENOMEM;
}

static void fini_merger(struct merger *merger)
{
    void *const arrays[] = {merger->strings, merger->mappings, merger->functions, merger->locations,
                            merger->frames,  merger->labels,   merger->lines};
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
        free(arrays[i]);
}

/* @key: NULL for no further label. */
static void merge_one(struct seen *seen, const struct ph_profile *from, bool is_first, const char *key,
                      const char *text)
{
    struct ph_profile *into = seen->into;
    struct merger merger = {.seen = seen, .into = into, .from = from};
    if (key)
        merger.more = (struct ph_label){.key = ph_profile_string(into, key), .text = ph_profile_string(into, text)};
    if (ph_profile_keep_status(into, init_merger(&merger))) {
        if (is_first)
            copy_first_header(&merger);
        copy_header(&merger);
        merge_mappings(&merger);
        for (uint32_t i = 0; i < from->sample_count && into->status == 0; i++)
            if (!is_zero(from, i))
                merge_sample(&merger, i);
    }
    fini_merger(&merger);
}

static struct ph_profile *merge_all(const struct ph_profile *const *profiles, size_t count)
{
    struct seen seen = {.into = ph_profile_new()};
    for (size_t i = 0; i < count && seen.into; i++)
        merge_one(&seen, profiles[i], i == 0, NULL, NULL);
    ph_index_fini(&seen.mappings);
    ph_index_fini(&seen.comments);
    if (!seen.into || seen.into->status == 0)
        return seen.into;
    ph_profile_free(seen.into);
    return NULL;
}

static bool has_zero_samples(const struct ph_profile *profile)
{
    for (uint32_t i = 0; i < profile->sample_count; i++)
        if (is_zero(profile, i))
            return true;
    return false;
}

/* Samples that cancel each other out, as in a delta, are known only at the end: a second merge leaves them and
 * what only they used out. */
static struct ph_profile *take_compact(struct ph_profile *take_profile)
{
    if (!take_profile || !has_zero_samples(take_profile))
        return take_profile;
    const struct ph_profile *alone = take_profile;
    struct ph_profile *compact = merge_all(&alone, 1);
    ph_profile_free(take_profile);
    return compact;
}

int ph_profile_merge(const struct ph_profile *const *profiles, size_t count, struct ph_profile **ret_profile,
                     struct ph_error *error)
{
    if (count == 0)
        return ph_error_set(error, -EINVAL, "no profiles to merge");
    int status = ph_profile_check_types(profiles, NULL, count, error);
    if (status < 0)
        return status;
    struct ph_profile *merged = take_compact(merge_all(profiles, count));
    if (!merged)
        return ph_error_set(error, -ENOMEM, "no memory to merge %zu profiles", count);
    *ret_profile = merged;
    return 0;
}

/* ---- one by one ---- */

struct ph_merge {
    struct seen seen;
    size_t count;
};

struct ph_merge *ph_merge_new(void)
{
    struct ph_merge *merge = calloc(1, sizeof(*merge));
    if (merge)
        merge->seen.into = ph_profile_new();
    if (merge && merge->seen.into)
        return merge;
    free(merge);
    return NULL;
}

void ph_merge_free(struct ph_merge *merge)
{
    if (merge)
        ph_profile_free(ph_merge_finish(merge));
}

int ph_merge_add(struct ph_merge *merge, const struct ph_profile *profile, const char *key, const char *text,
                 struct ph_error *error)
{
    const struct ph_profile *both[] = {merge->seen.into, profile};
    int status = merge->count ? ph_profile_check_types(both, NULL, 2, error) : 0;
    if (status < 0)
        return status;
    merge_one(&merge->seen, profile, merge->count == 0, key, text);
    merge->count++;
    status = merge->seen.into->status;
    return status < 0 ? ph_error_set(error, status, "no memory to merge %zu profiles", merge->count) : 0;
}

struct ph_profile *ph_merge_profile(const struct ph_merge *merge)
{
    return merge->seen.into;
}

struct ph_profile *ph_merge_finish(struct ph_merge *take_merge)
{
    struct ph_profile *profile = take_merge->seen.into;
    ph_index_fini(&take_merge->seen.mappings);
    ph_index_fini(&take_merge->seen.comments);
    free(take_merge);
    if (profile->status == 0)
        return profile;
    ph_profile_free(profile);
    return NULL;
}
