#include "model/scale.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static size_t value_count(const struct ph_profile *profile)
{
    return (size_t)profile->sample_count * profile->type_count;
}

int64_t ph_round_saturating(double value)
{
    value = round(value);
    if (value >= 0x1p63)
        return INT64_MAX;
    if (value < -0x1p63)
        return INT64_MIN;
    return isnan(value) ? 0 : (int64_t)value;
}

void ph_profile_scale(struct ph_profile *profile, double factor)
{
    for (size_t i = 0; i < value_count(profile); i++)
        profile->values[i] = ph_round_saturating((double)profile->values[i] * factor);
}

void ph_profile_negate(struct ph_profile *profile)
{
    for (size_t i = 0; i < value_count(profile); i++)
        profile->values[i] = profile->values[i] == INT64_MIN ? INT64_MAX : -profile->values[i];
}

/* Of a unit of memory, in whatever case, one or many; 0 for any other, and for bytes that are called so.
 * Source: google/pprof internal/measurement/measurement.go, to which the binary prefixes are added. */
static double bytes_of_unit(const char *unit)
{
    static const char *const ends[] = {"b", "byte", "ib"}, *const names[] = {"",     "kilo", "mega",
                                                                             "giga", "tera", "peta"};
    char wanted[16], name[16];
    size_t length = strlen(unit);
    if (strcmp(unit, "bytes") == 0 || length == 0 || length >= sizeof(wanted))
        return 0;
    length -= length > 2 && tolower((unsigned char)unit[length - 1]) == 's';
    snprintf(wanted, sizeof(wanted), "%.*s", (int)length, unit);
    for (int power = 0; power < (int)(sizeof(names) / sizeof(names[0])); power++) {
        for (size_t end = 0; end < sizeof(ends) / sizeof(ends[0]); end++) {
            snprintf(name, sizeof(name), "%.1s%s", names[power], ends[end]);
            if (strcasecmp(wanted, name) == 0)
                return ldexp(1, 10 * power);
        }
        snprintf(name, sizeof(name), "%sbyte", names[power]);
        if (strcasecmp(wanted, name) == 0)
            return ldexp(1, 10 * power);
    }
    return 0;
}

void ph_profile_scale_to_bytes(struct ph_profile *profile)
{
    for (uint32_t type = 0; type < profile->type_count; type++) {
        double factor = bytes_of_unit(ph_profile_text(profile, profile->types[type].unit));
        for (size_t i = type; factor > 0 && i < value_count(profile); i += profile->type_count)
            profile->values[i] = ph_round_saturating((double)profile->values[i] * factor);
        if (factor > 0)
            profile->types[type].unit = ph_profile_string(profile, "bytes");
    }
    double factor = bytes_of_unit(ph_profile_text(profile, profile->period_type.unit));
    if (factor > 0) {
        profile->period = ph_round_saturating((double)profile->period * factor);
        profile->period_type.unit = ph_profile_string(profile, "bytes");
    }
}

double ph_unbias(double count, double bytes, double rate_bytes)
{
    if (count == 0 || !(bytes / count > 0) || !(rate_bytes > 1))
        return 1;
    return 1 / -expm1(-(bytes / count) / rate_bytes);
}
