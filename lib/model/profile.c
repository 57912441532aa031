#include "model/profile.h"

#include "model/grow.h"
#include "model/intern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct ph_profile *ph_profile_new(void)
{
    struct ph_profile *profile = calloc(1, sizeof(*profile));
    if (!profile)
        return NULL;
    ph_profile_string(profile, "");
    if (profile->status == 0)
        return profile;
    ph_profile_free(profile);
    return NULL;
}

void ph_profile_free(struct ph_profile *profile)
{
    if (!profile)
        return;
    void *const arrays[] = {profile->comments, profile->strings,   profile->mappings, profile->functions,
                            profile->lines,    profile->locations, profile->frames,   profile->labels,
                            profile->samples,  profile->values};
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
        free(arrays[i]);
    struct ph_index *const indexes[] = {&profile->string_index, &profile->function_index, &profile->location_index,
                                        &profile->sample_index};
    for (size_t i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++)
        ph_index_fini(indexes[i]);
    ph_arena_fini(&profile->text);
    free(profile);
}

int ph_profile_status(const struct ph_profile *profile)
{
    return profile->status;
}

bool ph_profile_keep_status(struct ph_profile *profile, int status)
{
    if (status < 0 && profile->status == 0)
        profile->status = status;
    return profile->status == 0;
}

const char *ph_profile_text(const struct ph_profile *profile, uint32_t string)
{
    return profile->strings[string].text;
}

uint32_t ph_profile_add_type(struct ph_profile *profile, const char *type, const char *unit)
{
    bool fits = profile->type_count < PH_PROFILE_TYPES_MAX && profile->sample_count == 0;
    struct ph_value_type added = {ph_profile_string(profile, type), ph_profile_string(profile, unit)};
    if (!ph_profile_keep_status(profile, fits ? 0 : -EOVERFLOW))
        return PH_PROFILE_TYPES_MAX;
    profile->types[profile->type_count] = added;
    return profile->type_count++;
}

int ph_profile_find_type(const struct ph_profile *profile, const char *type)
{
    for (uint32_t i = 0; i < profile->type_count; i++)
        if (strcmp(ph_profile_text(profile, profile->types[i].type), type) == 0)
            return (int)i;
    return -1;
}

void ph_profile_add_comment(struct ph_profile *profile, const char *text)
{
    uint32_t string = ph_profile_string(profile, text);
    int status = ph_grow(&profile->comments, sizeof(*profile->comments), profile->comment_count, 1);
    if (ph_profile_keep_status(profile, status))
        profile->comments[profile->comment_count++] = string;
}

uint32_t ph_profile_add_mapping(struct ph_profile *profile, const struct ph_mapping *mapping)
{
    int status = ph_grow(&profile->mappings, sizeof(*profile->mappings), profile->mapping_count, 1);
    if (!ph_profile_keep_status(profile, status))
        return 0;
    profile->mappings[profile->mapping_count++] = *mapping;
    return profile->mapping_count;
}

int64_t ph_add_saturating(int64_t a, int64_t b)
{
    int64_t sum;
    if (!__builtin_add_overflow(a, b, &sum))
        return sum;
    return a < 0 ? INT64_MIN : INT64_MAX;
}

const char *ph_profile_label_text(const struct ph_profile *profile, const struct ph_sample *sample, const char *key)
{
    for (uint32_t i = 0; i < sample->label_count; i++) {
        const struct ph_label *label = &profile->labels[sample->first_label + i];
        if (strcmp(ph_profile_text(profile, label->key), key) == 0)
            return ph_profile_text(profile, label->text);
    }
    return "";
}

int64_t ph_profile_total(const struct ph_profile *profile, uint32_t type)
{
    int64_t total = 0;
    for (uint32_t i = 0; i < profile->sample_count; i++)
        total = ph_add_saturating(total, ph_profile_values(profile, i)[type]);
    return total;
}
