#include "model/check.h"

#include "base/scan.h"

#include <errno.h>
#include <string.h>

static int offence(struct ph_error *error, const char *what, size_t number, const char *field, uint64_t value,
                   uint64_t max)
{
    return ph_error_set(error, -EINVAL, "%s %zu: %s is %llu, expected at most %llu", what, number, field,
                        (unsigned long long)value, (unsigned long long)max);
}

static int check_strings(const struct ph_profile *profile, struct ph_error *error)
{
    if (profile->string_count == 0 || profile->strings[0].size_bytes != 0)
        return ph_error_set(error, -EINVAL, "string 0: expected the empty string");
    for (uint32_t i = 0; i < profile->string_count; i++) {
        struct ph_scan scan = ph_scan_over(profile->strings[i].text, profile->strings[i].size_bytes);
        while (!ph_scan_done(&scan))
            if (*scan.next == '\0' || !ph_scan_utf8(&scan))
                return ph_error_set(error, -EINVAL, "string %u: expected UTF-8 without NUL at byte %zu", i,
                                    (size_t)(scan.next - scan.start));
    }
    return 0;
}

/* Strings named by the profile as a whole. */
static int check_header(const struct ph_profile *profile, struct ph_error *error)
{
    if (profile->type_count == 0 || profile->type_count > PH_PROFILE_TYPES_MAX)
        return ph_error_set(error, -EINVAL, "%u sample types, expected 1 to %d", profile->type_count,
                            PH_PROFILE_TYPES_MAX);
    const struct {
        const char *name;
        uint32_t string;
    } rows[] = {
        {"default type", profile->default_type},    {"period type", profile->period_type.type},
        {"period unit", profile->period_type.unit}, {"drop frames", profile->drop_frames},
        {"keep frames", profile->keep_frames},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].string >= profile->string_count)
            return offence(error, "profile", 0, rows[i].name, rows[i].string, profile->string_count - 1);
    for (uint32_t i = 0; i < profile->type_count; i++)
        if (profile->types[i].type >= profile->string_count || profile->types[i].unit >= profile->string_count)
            return ph_error_set(error, -EINVAL, "sample type %u: its name or unit is no string", i);
    for (uint32_t i = 0; i < profile->comment_count; i++)
        if (profile->comments[i] >= profile->string_count)
            return offence(error, "comment", i, "string", profile->comments[i], profile->string_count - 1);
    return 0;
}

static int check_mappings(const struct ph_profile *profile, struct ph_error *error)
{
    for (uint32_t i = 0; i < profile->mapping_count; i++) {
        const struct ph_mapping *mapping = &profile->mappings[i];
        if (mapping->start > mapping->limit)
            return offence(error, "mapping", i + 1, "start", mapping->start, mapping->limit);
        if (mapping->file >= profile->string_count)
            return offence(error, "mapping", i + 1, "file", mapping->file, profile->string_count - 1);
        if (mapping->build_id >= profile->string_count)
            return offence(error, "mapping", i + 1, "build id", mapping->build_id, profile->string_count - 1);
    }
    return 0;
}

static int check_functions(const struct ph_profile *profile, struct ph_error *error)
{
    for (uint32_t i = 0; i < profile->function_count; i++) {
        const struct ph_function *function = &profile->functions[i];
        const struct {
            const char *name;
            uint32_t string;
        } rows[] = {{"name", function->name}, {"system name", function->system_name}, {"file", function->file}};
        for (size_t j = 0; j < sizeof(rows) / sizeof(rows[0]); j++)
            if (rows[j].string >= profile->string_count)
                return offence(error, "function", i + 1, rows[j].name, rows[j].string, profile->string_count - 1);
    }
    return 0;
}

static int check_locations(const struct ph_profile *profile, struct ph_error *error)
{
    for (uint32_t i = 0; i < profile->location_count; i++) {
        const struct ph_location *location = &profile->locations[i];
        if (location->mapping > profile->mapping_count)
            return offence(error, "location", i + 1, "mapping", location->mapping, profile->mapping_count);
        if ((uint64_t)location->first_line + location->line_count > profile->line_count)
            return offence(error, "location", i + 1, "last line",
                           (uint64_t)location->first_line + location->line_count, profile->line_count);
    }
    for (uint32_t i = 0; i < profile->line_count; i++)
        if (profile->lines[i].function == 0 || profile->lines[i].function > profile->function_count)
            return ph_error_set(error, -EINVAL, "line %u: function is %u, expected 1 to %u", i,
                                profile->lines[i].function, profile->function_count);
    return 0;
}

static int check_labels(const struct ph_profile *profile, struct ph_error *error)
{
    for (uint32_t i = 0; i < profile->label_count; i++) {
        const struct ph_label *label = &profile->labels[i];
        uint32_t highest = label->key > label->text ? label->key : label->text;
        highest = highest > label->unit ? highest : label->unit;
        if (highest >= profile->string_count)
            return offence(error, "label", i, "key, text or unit", highest, profile->string_count - 1);
    }
    return 0;
}

static int check_samples(const struct ph_profile *profile, struct ph_error *error)
{
    for (uint32_t i = 0; i < profile->sample_count; i++) {
        const struct ph_sample *sample = &profile->samples[i];
        uint64_t last_frame = (uint64_t)sample->first_frame + sample->frame_count;
        uint64_t last_label = (uint64_t)sample->first_label + sample->label_count;
        if (last_frame > profile->frame_count)
            return offence(error, "sample", i, "last frame", last_frame, profile->frame_count);
        if (last_label > profile->label_count)
            return offence(error, "sample", i, "last label", last_label, profile->label_count);
    }
    for (uint32_t i = 0; i < profile->frame_count; i++)
        if (profile->frames[i] == 0 || profile->frames[i] > profile->location_count)
            return ph_error_set(error, -EINVAL, "frame %u: location is %u, expected 1 to %u", i, profile->frames[i],
                                profile->location_count);
    return 0;
}

int ph_profile_check(const struct ph_profile *profile, struct ph_error *error)
{
    static int (*const checks[])(const struct ph_profile *, struct ph_error *) = {
        check_strings, check_header, check_mappings, check_functions, check_locations, check_labels, check_samples,
    };
    if (profile->status)
        return ph_error_set(error, profile->status, "the profile is incomplete: %s", strerror(-profile->status));
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        int status = checks[i](profile, error);
        if (status < 0)
            return status;
    }
    return 0;
}
