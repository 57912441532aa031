/* onset.h - since when: the inflection point of a series in time. */
#ifndef PH_GROWTH_ONSET_H
#define PH_GROWTH_ONSET_H

#include "growth/shape.h"

struct ph_onset {
    size_t index;     /* the last point before it began to grow */
    double time;      /* 0..1; between that point and the next */
    double low, high; /* about 95 % */
};

/**
 * ph_onset_find() - where the knot of @shape is. @scratch: points->count - 1 of them. O(T).
 *
 * Of a step no more can be told than the two points it lies between: time is the middle. The others bend at the knot; between
 * points, the parabola through the RSS of the three best knots tells.
 *
 * Interval: all knots with RSS - least RSS <= 3.84 * phi * kappa. 3.84 is of chi squared with one degree of freedom;
 * without kappa it holds the truth too seldom, and with it is still approximate, as the RSS has a kink at each point.
 * Source: Hinkley, Biometrika 56 (1969) 495.
 */
struct ph_onset ph_onset_find(const struct ph_points *points, const struct ph_shapes *shapes, enum ph_shape shape,
                              struct ph_knot *scratch);

#endif
