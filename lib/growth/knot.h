/*
 * knot.h - curves with one knot: level for a while, then something begins. a + d * g(t - tau), for every tau at once.
 */
#ifndef PH_GROWTH_KNOT_H
#define PH_GROWTH_KNOT_H

#include <stddef.h>

enum ph_knot_kind {
    PH_KNOT_STEP,  /* g(u) = 1 for u > 0 */
    PH_KNOT_HINGE, /* g(u) = max(0, u) */
    PH_KNOT_FILL,  /* g(u) = 1 - exp(-u / c) for u > 0: fills up, as a cache does */
};

/* Points of a series, prepared: time from 0 to 1, and a weight for each value, 1 / its variance. */
struct ph_points {
    const double *time, *value, *weight;
    size_t count; /* at least 2 */
};

struct ph_knot {
    size_t index; /* of the point at tau: the last before it begins */
    double rss;   /* weighted sum of squared residuals */
    double level; /* a */
    double gain;  /* d, at least 0: curves that fall are no answer to what grew */
};

/**
 * ph_knot_fit() - the best knot among the points (but the last), by weighted least squares.
 * @fill_time: c of PH_KNOT_FILL, of the same unit as time; not read for others.
 * @ret_knots: NULL, or count - 1 of them: the best curve with its knot at each point.
 *
 * O(count): sums over the points behind each knot, gathered from the end.
 */
struct ph_knot ph_knot_fit(const struct ph_points *points, enum ph_knot_kind kind, double fill_time,
                           struct ph_knot *ret_knots);

/** ph_knot_flat() - the curve that never begins: the mean. */
struct ph_knot ph_knot_flat(const struct ph_points *points);

/** ph_knot_value() - the curve at @time. */
double ph_knot_value(const struct ph_knot *knot, enum ph_knot_kind kind, double fill_time, double knot_time,
                     double time);

#endif
