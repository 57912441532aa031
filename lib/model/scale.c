#include "model/scale.h"

#include <math.h>

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

double ph_unbias(double count, double bytes, double rate_bytes)
{
    if (count == 0 || !(bytes / count > 0) || !(rate_bytes > 1))
        return 1;
    return 1 / -expm1(-(bytes / count) / rate_bytes);
}
