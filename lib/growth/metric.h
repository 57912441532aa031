/*
 * metric.h - the numbers of a heap profile: which of its sample types are which, and how far each can be trusted.
 */
#ifndef PH_GROWTH_METRIC_H
#define PH_GROWTH_METRIC_H

#include "base/error.h"
#include "growth/history.h"
#include "model/heap_types.h"

#include <stdbool.h>

struct ph_metric {
    enum ph_heap_type metric;
    int places[PH_HEAP_TYPE_COUNT]; /* of each type in the profile; -1 for what it does not hold */
    double rate_bytes;              /* 0 if the profile does not say */
};

/**
 * ph_metric_find() - how @profile holds @metric and its companions.
 *
 * A profile of one type only, with the right unit, holds the metric whatever it calls it (folded stacks). Allocations
 * that are zero in every sample while something is in use are not held: jemalloc writes zeros unless it accumulates.
 * 0; -EINVAL with what the profile holds instead in @error.
 */
int ph_metric_find(const struct ph_profile *profile, enum ph_heap_type metric, struct ph_metric *ret_metric,
                   struct ph_error *error);

/** ph_metric_point() - one sample of that profile. */
struct ph_point ph_metric_point(const struct ph_metric *metric, const int64_t *values);

/** ph_heap_type_is_bytes(), ph_heap_type_is_cumulative() - of a metric. ph_heap_type_objects(), ph_heap_type_space() -
 * its two companions: alloc_space goes with alloc_objects. */
bool ph_heap_type_is_bytes(enum ph_heap_type type);
bool ph_heap_type_is_cumulative(enum ph_heap_type type);
enum ph_heap_type ph_heap_type_objects(enum ph_heap_type type);
enum ph_heap_type ph_heap_type_space(enum ph_heap_type type);

/** ph_heap_type_name() - "inuse_space". */
const char *ph_heap_type_name(enum ph_heap_type type);

#endif
