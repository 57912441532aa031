#include "model/check_types.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool is_text_equal(const struct ph_profile *a, uint32_t string_a, const struct ph_profile *b,
                          uint32_t string_b)
{
    return strcmp(ph_profile_text(a, string_a), ph_profile_text(b, string_b)) == 0;
}

static bool is_type_equal(const struct ph_profile *a, const struct ph_value_type *type_a,
                          const struct ph_profile *b, const struct ph_value_type *type_b)
{
    return is_text_equal(a, type_a->type, b, type_b->type) && is_text_equal(a, type_a->unit, b, type_b->unit);
}

static bool has_same_types(const struct ph_profile *a, const struct ph_profile *b)
{
    bool same = a->type_count == b->type_count && is_type_equal(a, &a->period_type, b, &b->period_type);
    for (uint32_t i = 0; i < a->type_count && same; i++)
        same = is_type_equal(a, &a->types[i], b, &b->types[i]);
    return same;
}

/* "alloc_space/bytes inuse_space/bytes per space/bytes", cut if need be. */
static void describe_types(const struct ph_profile *profile, char *text, size_t size_bytes)
{
    size_t length = 0;
    uint32_t count = profile->type_count + (profile->period_type.type || profile->period_type.unit);
    text[0] = '\0';
    for (uint32_t i = 0; i < count && length < size_bytes; i++) {
        const struct ph_value_type *type = i < profile->type_count ? &profile->types[i] : &profile->period_type;
        length += (size_t)snprintf(text + length, size_bytes - length, "%s%s/%s",
                                   i == profile->type_count ? " per " : (i ? " " : ""),
                                   ph_profile_text(profile, type->type), ph_profile_text(profile, type->unit));
    }
}

/* Of a long name the end tells more. */
static void describe_name(const char *const *names, size_t place, char *text, size_t size_bytes)
{
    size_t length = names ? strlen(names[place]) : 0;
    if (!names)
        snprintf(text, size_bytes, "profile %zu", place + 1);
    else if (length < size_bytes)
        memcpy(text, names[place], length + 1);
    else
        snprintf(text, size_bytes, "...%s", names[place] + length + 4 - size_bytes);
}

int ph_profile_check_types(const struct ph_profile *const *profiles, const char *const *names, size_t count,
                           struct ph_error *error)
{
    char first_name[48], other_name[48], first[PH_ERROR_TEXT_MAX / 2], other[PH_ERROR_TEXT_MAX / 2];
    for (size_t i = 1; i < count; i++) {
        if (has_same_types(profiles[0], profiles[i]))
            continue;
        describe_name(names, 0, first_name, sizeof(first_name));
        describe_name(names, i, other_name, sizeof(other_name));
        size_t room_bytes =
            (PH_ERROR_TEXT_MAX - 24 - strlen(first_name) - strlen(other_name)) / 2; /* 24: the rest */
        describe_types(profiles[0], first, room_bytes);
        describe_types(profiles[i], other, room_bytes);
        return ph_error_set(error, -EINVAL, "%s counts %s, but %s counts %s", first_name, first, other_name, other);
    }
    return 0;
}
