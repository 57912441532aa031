/* intern.c - the add functions of profile.h that find an equal entry before they make one. */
#include "model/intern.h"

#include "base/scan.h"
#include "model/grow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Every add makes all room it needs first and counts last: a failure on the way leaves no half entry. */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    return ph_hash_u64(hash * 31 + value);
}

/* ---- strings ---- */

static bool string_equal(const void *owner, uint32_t number, const void *key)
{
    const struct ph_string *string = &((const struct ph_profile *)owner)->strings[number];
    const struct ph_string *wanted = key;
    return string->size_bytes == wanted->size_bytes && memcmp(string->text, wanted->text, wanted->size_bytes) == 0;
}

static uint32_t add_string(struct ph_profile *profile, const struct ph_string *string, uint64_t hash)
{
    int status = ph_grow(&profile->strings, sizeof(*profile->strings), profile->string_count, 1);
    char *copy = status == 0 ? ph_arena_copy(&profile->text, string->text, string->size_bytes) : NULL;
    if (status == 0)
        status = copy ? ph_index_add(&profile->string_index, hash, profile->string_count) : -ENOMEM;
    if (!ph_profile_keep_status(profile, status))
        return 0;
    profile->strings[profile->string_count] = (struct ph_string){copy, string->size_bytes};
    return profile->string_count++;
}

static uint32_t intern_string(struct ph_profile *profile, const char *text, size_t size_bytes)
{
    if (size_bytes > UINT32_MAX) {
        ph_profile_keep_status(profile, -EOVERFLOW);
        return 0;
    }
    struct ph_string key = {text, (uint32_t)size_bytes};
    uint64_t hash = ph_hash_bytes(text, size_bytes);
    uint32_t found = ph_index_find(&profile->string_index, hash, string_equal, profile, &key);
    return found != PH_INDEX_NONE ? found : add_string(profile, &key, hash);
}

static bool is_plain_ascii(const char *bytes, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++)
        if (bytes[i] <= 0) /* char is signed on x86-64 */
            return false;
    return true;
}

/* pprof and protobuf refuse a whole profile for one byte that is no UTF-8; a NUL would end the string early. */
static size_t clean_text(const char *bytes, size_t size_bytes, char *ret_clean)
{
    struct ph_scan scan = ph_scan_over(bytes, size_bytes);
    char *out = ret_clean;
    while (!ph_scan_done(&scan)) {
        const char *from = scan.next;
        if (*from && ph_scan_utf8(&scan)) {
            out = mempcpy(out, from, (size_t)(scan.next - from));
        } else {
            out = mempcpy(out, PH_UTF8_REPLACEMENT, 3);
            scan.next++;
        }
    }
    return (size_t)(out - ret_clean);
}

uint32_t ph_profile_string_n(struct ph_profile *profile, const char *bytes, size_t size_bytes)
{
    if (profile->status)
        return 0;
    if (is_plain_ascii(bytes, size_bytes))
        return intern_string(profile, bytes, size_bytes);
    char *clean = size_bytes <= UINT32_MAX ? malloc(size_bytes * 3) : NULL;
    if (!clean) {
        ph_profile_keep_status(profile, size_bytes <= UINT32_MAX ? -ENOMEM : -EOVERFLOW);
        return 0;
    }
    uint32_t string = intern_string(profile, clean, clean_text(bytes, size_bytes, clean));
    free(clean);
    return string;
}

uint32_t ph_profile_string(struct ph_profile *profile, const char *text)
{
    return ph_profile_string_n(profile, text, strlen(text));
}

/* ---- functions ---- */

static bool function_equal(const void *owner, uint32_t number, const void *key)
{
    const struct ph_function *function = &((const struct ph_profile *)owner)->functions[number];
    const struct ph_function *wanted = key;
    return function->name == wanted->name && function->system_name == wanted->system_name &&
           function->file == wanted->file && function->start_line == wanted->start_line;
}

uint32_t ph_profile_add_function(struct ph_profile *profile, const struct ph_function *function)
{
    if (profile->status)
        return 0;
    uint64_t hash = mix(mix((uint64_t)function->name << 32 | function->system_name, function->file),
                        (uint64_t)function->start_line);
    uint32_t found = ph_index_find(&profile->function_index, hash, function_equal, profile, function);
    if (found != PH_INDEX_NONE)
        return found + 1;
    int status = ph_grow(&profile->functions, sizeof(*profile->functions), profile->function_count, 1);
    if (status == 0)
        status = ph_index_add(&profile->function_index, hash, profile->function_count);
    if (!ph_profile_keep_status(profile, status))
        return 0;
    profile->functions[profile->function_count++] = *function;
    return profile->function_count;
}

/* ---- locations ---- */

struct location_key {
    uint64_t address;
    uint32_t mapping, line_count;
    const struct ph_line *lines;
    bool is_folded;
};

static bool line_equal(const struct ph_line *a, const struct ph_line *b)
{
    return a->function == b->function && a->line == b->line && a->column == b->column;
}

static bool location_equal(const void *owner, uint32_t number, const void *key)
{
    const struct ph_profile *profile = owner;
    const struct ph_location *location = &profile->locations[number];
    const struct location_key *wanted = key;
    uint32_t line_count = location->is_added_bare ? 0 : location->line_count;
    if (location->address != wanted->address || location->mapping != wanted->mapping ||
        location->is_folded != wanted->is_folded || line_count != wanted->line_count)
        return false;
    for (uint32_t i = 0; i < line_count; i++)
        if (!line_equal(&profile->lines[location->first_line + i], &wanted->lines[i]))
            return false;
    return true;
}

static uint64_t location_hash(const struct location_key *key)
{
    uint64_t hash = mix(key->address, (uint64_t)key->mapping << 1 | key->is_folded);
    for (uint32_t i = 0; i < key->line_count; i++)
        hash = mix(mix(hash, key->lines[i].function),
                   (uint64_t)key->lines[i].line * 4099 + (uint64_t)key->lines[i].column);
    return hash;
}

/* Puts the lines behind the others, uncounted. */
static int copy_lines(struct ph_profile *profile, const struct ph_line *lines, uint32_t line_count)
{
    int status = ph_grow(&profile->lines, sizeof(*profile->lines), profile->line_count, line_count);
    if (status == 0 && line_count)
        memcpy(profile->lines + profile->line_count, lines, line_count * sizeof(*lines));
    return status;
}

static uint32_t add_location(struct ph_profile *profile, const struct location_key *key, uint64_t hash)
{
    int status = ph_grow(&profile->locations, sizeof(*profile->locations), profile->location_count, 1);
    if (status == 0)
        status = copy_lines(profile, key->lines, key->line_count);
    if (status == 0)
        status = ph_index_add(&profile->location_index, hash, profile->location_count);
    if (!ph_profile_keep_status(profile, status))
        return 0;
    profile->locations[profile->location_count++] = (struct ph_location){
        .address = key->address,
        .mapping = key->mapping,
        .first_line = profile->line_count,
        .line_count = key->line_count,
        .is_folded = key->is_folded,
        .is_added_bare = key->line_count == 0,
    };
    profile->line_count += key->line_count;
    return profile->location_count;
}

uint32_t ph_profile_add_location(struct ph_profile *profile, uint32_t mapping, uint64_t address, bool is_folded,
                                 const struct ph_line *lines, uint32_t line_count)
{
    if (profile->status)
        return 0;
    struct location_key key = {address, mapping, line_count, lines, is_folded};
    uint64_t hash = location_hash(&key);
    uint32_t found = ph_index_find(&profile->location_index, hash, location_equal, profile, &key);
    return found != PH_INDEX_NONE ? found + 1 : add_location(profile, &key, hash);
}

int ph_profile_set_lines(struct ph_profile *profile, uint32_t location, const struct ph_line *lines,
                         uint32_t line_count)
{
    if (profile->status || profile->locations[location - 1].line_count)
        return profile->status;
    if (ph_profile_keep_status(profile, copy_lines(profile, lines, line_count))) {
        profile->locations[location - 1].first_line = profile->line_count;
        profile->locations[location - 1].line_count = line_count;
        profile->line_count += line_count;
    }
    return profile->status;
}

/* ---- samples ---- */

struct sample_key {
    const uint32_t *frames;
    const struct ph_label *labels;
    uint32_t frame_count, label_count;
};

static bool label_equal(const struct ph_label *a, const struct ph_label *b)
{
    return a->key == b->key && a->text == b->text && a->number == b->number && a->unit == b->unit;
}

static bool sample_equal(const void *owner, uint32_t number, const void *key)
{
    const struct ph_profile *profile = owner;
    const struct ph_sample *sample = &profile->samples[number];
    const struct sample_key *wanted = key;
    if (sample->frame_count != wanted->frame_count || sample->label_count != wanted->label_count)
        return false;
    for (uint32_t i = 0; i < sample->label_count; i++)
        if (!label_equal(&profile->labels[sample->first_label + i], &wanted->labels[i]))
            return false;
    size_t frames_bytes = sample->frame_count * sizeof(*wanted->frames);
    return !frames_bytes || memcmp(profile->frames + sample->first_frame, wanted->frames, frames_bytes) == 0;
}

static uint64_t sample_hash(const struct sample_key *key)
{
    uint64_t hash = ph_hash_bytes(key->frames, key->frame_count * sizeof(*key->frames));
    for (uint32_t i = 0; i < key->label_count; i++) {
        const struct ph_label *label = &key->labels[i];
        hash = mix(mix(hash, (uint64_t)label->key << 32 | label->text), (uint64_t)label->number + label->unit);
    }
    return hash;
}

static int make_sample_room(struct ph_profile *profile, const struct sample_key *key)
{
    int status = ph_grow(&profile->samples, sizeof(*profile->samples), profile->sample_count, 1);
    if (status == 0 && profile->type_count)
        status =
            ph_grow(&profile->values, profile->type_count * sizeof(*profile->values), profile->sample_count, 1);
    if (status == 0)
        status = ph_grow(&profile->frames, sizeof(*profile->frames), profile->frame_count, key->frame_count);
    if (status == 0)
        status = ph_grow(&profile->labels, sizeof(*profile->labels), profile->label_count, key->label_count);
    return status;
}

static uint32_t add_sample(struct ph_profile *profile, const struct sample_key *key, uint64_t hash)
{
    int status = make_sample_room(profile, key);
    if (status == 0)
        status = ph_index_add(&profile->sample_index, hash, profile->sample_count);
    if (!ph_profile_keep_status(profile, status))
        return PH_INDEX_NONE;
    profile->samples[profile->sample_count] =
        (struct ph_sample){profile->frame_count, key->frame_count, profile->label_count, key->label_count};
    if (key->frame_count)
        memcpy(profile->frames + profile->frame_count, key->frames, key->frame_count * sizeof(*key->frames));
    if (key->label_count)
        memcpy(profile->labels + profile->label_count, key->labels, key->label_count * sizeof(*key->labels));
    profile->frame_count += key->frame_count;
    profile->label_count += key->label_count;
    return profile->sample_count++;
}

static void add_values(struct ph_profile *profile, uint32_t sample, const int64_t *values)
{
    int64_t *sums = ph_profile_values(profile, sample);
    for (uint32_t i = 0; i < profile->type_count; i++)
        sums[i] = ph_add_saturating(sums[i], values[i]);
}

uint32_t ph_profile_find_sample(const struct ph_profile *profile, const uint32_t *frames, uint32_t frame_count,
                                const struct ph_label *labels, uint32_t label_count)
{
    struct sample_key key = {frames, labels, frame_count, label_count};
    return ph_index_find(&profile->sample_index, sample_hash(&key), sample_equal, profile, &key);
}

uint32_t ph_profile_add_sample(struct ph_profile *profile, const uint32_t *frames, uint32_t frame_count,
                               const struct ph_label *labels, uint32_t label_count, const int64_t *values)
{
    if (profile->status)
        return PH_INDEX_NONE;
    struct sample_key key = {frames, labels, frame_count, label_count};
    uint64_t hash = sample_hash(&key);
    uint32_t sample = ph_index_find(&profile->sample_index, hash, sample_equal, profile, &key);
    if (sample != PH_INDEX_NONE) {
        if (profile->type_count)
            add_values(profile, sample, values);
        return sample;
    }
    sample = add_sample(profile, &key, hash);
    if (sample != PH_INDEX_NONE && profile->type_count)
        memcpy(ph_profile_values(profile, sample), values, profile->type_count * sizeof(*values));
    return sample;
}
