#include "growth/metric.h"

#include "growth/noise.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *alias; /* alias: what pprof calls it where it reads heap profiles without allocations */
    bool is_bytes, is_cumulative;
    enum ph_heap_type objects, space;
} rows[PH_HEAP_TYPE_COUNT] = {
    [PH_HEAP_ALLOC_OBJECTS] = {"alloc_objects", "", false, true, PH_HEAP_ALLOC_OBJECTS, PH_HEAP_ALLOC_SPACE},
    [PH_HEAP_ALLOC_SPACE] = {"alloc_space", "", true, true, PH_HEAP_ALLOC_OBJECTS, PH_HEAP_ALLOC_SPACE},
    [PH_HEAP_INUSE_OBJECTS] = {"inuse_objects", "objects", false, false, PH_HEAP_INUSE_OBJECTS,
                               PH_HEAP_INUSE_SPACE},
    [PH_HEAP_INUSE_SPACE] = {"inuse_space", "space", true, false, PH_HEAP_INUSE_OBJECTS, PH_HEAP_INUSE_SPACE},
};

bool ph_heap_type_is_bytes(enum ph_heap_type type)
{
    return rows[type].is_bytes;
}

bool ph_heap_type_is_cumulative(enum ph_heap_type type)
{
    return rows[type].is_cumulative;
}

enum ph_heap_type ph_heap_type_objects(enum ph_heap_type type)
{
    return rows[type].objects;
}

enum ph_heap_type ph_heap_type_space(enum ph_heap_type type)
{
    return rows[type].space;
}

const char *ph_heap_type_name(enum ph_heap_type type)
{
    return rows[type].name;
}

/* ---- which types a profile holds ---- */

static bool is_all_zero(const struct ph_profile *profile, int place)
{
    for (uint32_t i = 0; i < profile->sample_count; i++)
        if (ph_profile_values(profile, i)[place])
            return false;
    return true;
}

static bool is_held(const struct ph_profile *profile, int place)
{
    return place >= 0 && !is_all_zero(profile, place);
}

static void find_places(const struct ph_profile *profile, struct ph_metric *metric)
{
    int *places = metric->places;
    for (int type = 0; type < PH_HEAP_TYPE_COUNT; type++) {
        places[type] = ph_profile_find_type(profile, rows[type].name);
        if (places[type] < 0 && *rows[type].alias)
            places[type] = ph_profile_find_type(profile, rows[type].alias);
    }
    /* What is in use was allocated: cumulative zeros beside it mean that nobody counted. */
    bool is_used = is_held(profile, places[PH_HEAP_INUSE_OBJECTS]) || is_held(profile, places[PH_HEAP_INUSE_SPACE]);
    for (int type = 0; type < PH_HEAP_TYPE_COUNT; type++)
        if (is_used && rows[type].is_cumulative && !is_held(profile, places[type]))
            places[type] = -1;
}

static bool has_heap_type(const struct ph_profile *profile)
{
    for (int type = 0; type < PH_HEAP_TYPE_COUNT; type++)
        if (ph_profile_find_type(profile, rows[type].name) >= 0)
            return true;
    return false;
}

static void find_only_type(const struct ph_profile *profile, struct ph_metric *metric)
{
    if (profile->type_count != 1 || has_heap_type(profile))
        return;
    const char *unit = ph_profile_text(profile, profile->types[0].unit);
    if (strcmp(unit, rows[metric->metric].is_bytes ? "bytes" : "count") == 0)
        metric->places[metric->metric] = 0;
}

static int lacks_metric(const struct ph_profile *profile, enum ph_heap_type metric, struct ph_error *error)
{
    char held[160] = "";
    size_t length = 0;
    for (uint32_t i = 0; i < profile->type_count && length < sizeof(held) - 1; i++)
        length += (size_t)snprintf(held + length, sizeof(held) - length, "%s%s", i ? ", " : "",
                                   ph_profile_text(profile, profile->types[i].type));
    if (ph_profile_find_type(profile, rows[metric].name) >= 0)
        return ph_error_set(error, -EINVAL, "it holds no %s: all of them are 0", rows[metric].name);
    return ph_error_set(error, -EINVAL, "it holds no %s, but %s", rows[metric].name, held);
}

int ph_metric_find(const struct ph_profile *profile, enum ph_heap_type metric, struct ph_metric *ret_metric,
                   struct ph_error *error)
{
    struct ph_metric found = {.metric = metric};
    bool has_rate = strcmp(ph_profile_text(profile, profile->period_type.type), "space") == 0 &&
                    strcmp(ph_profile_text(profile, profile->period_type.unit), "bytes") == 0;
    find_places(profile, &found);
    find_only_type(profile, &found);
    if (found.places[metric] < 0)
        return lacks_metric(profile, metric, error);
    found.rate_bytes = has_rate && profile->period > 0 ? (double)profile->period : 0;
    *ret_metric = found;
    return 0;
}

/* ---- one sample ---- */

static double value_of(const struct ph_metric *metric, const int64_t *values, enum ph_heap_type type)
{
    return metric->places[type] >= 0 ? (double)values[metric->places[type]] : NAN;
}

static float as_count(double count)
{
    return count > 0 ? (float)fmin(count, FLT_MAX) : 0;
}

struct ph_point ph_metric_point(const struct ph_metric *metric, const int64_t *values)
{
    struct ph_point point = {{0}, 0, 0};
    double objects = value_of(metric, values, rows[metric->metric].objects);
    double bytes = value_of(metric, values, rows[metric->metric].space);
    double rate_bytes = metric->rate_bytes;
    if (isnan(bytes)) /* without sizes the chance of an object is unknown: each was recorded, as far as we know */
        bytes = 0;
    for (int type = 0; type < PH_HEAP_TYPE_COUNT; type++)
        point.values[type] = metric->places[type] >= 0 ? (double)values[metric->places[type]] : 0;
    point.sampled = as_count(ph_sampled_count(objects, bytes, rate_bytes));
    point.variance = as_count(rows[metric->metric].is_bytes ? ph_bytes_variance(objects, bytes, rate_bytes)
                                                            : ph_objects_variance(objects, bytes, rate_bytes));
    return point;
}
