/* late.h - how a series ends: does it still rise, and did it ever give back what it had gained? */
#ifndef PH_GROWTH_LATE_H
#define PH_GROWTH_LATE_H

#include <stdbool.h>
#include <stddef.h>

/** ph_late_slope() - least squares of y in time over the last third of the points, or the last 8, but not more than half
 * of them: in y per second. */
double ph_late_slope(const double *seconds, const double *y, size_t count);

/**
 * ph_gain_is_kept() - did the counts never fall by more than 30 % of what they have gained from begin to end?
 *
 * Judged on means over a fifth of the points. A leak keeps what it has; daily load gives it back, wherever in the day
 * the series begins and ends, if it spans a day. Falls that sampling explains, 2 sigma of the two levels, are allowed.
 */
bool ph_gain_is_kept(const double *counts, size_t count);

/** ph_gain_is_swing() - did they once fall by as much as they have gained? Then the gain says when one looked, no more. */
bool ph_gain_is_swing(const double *counts, size_t count);

#endif
