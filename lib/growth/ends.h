/* ends.h - the beginning of a series against its end. */
#ifndef PH_GROWTH_ENDS_H
#define PH_GROWTH_ENDS_H

#include "growth/pair.h"

/**
 * ph_ends_p() - the mean of the first fifth of the points (at least one) against the mean of the last fifth.
 *
 * The means are judged as if they were single counts. They scatter less if the points are independent, and no less if
 * objects outlive many points: which of the two it is need not be known, and slow churn gives no false alarm.
 * Two points: ph_pair_p().
 */
struct ph_direction_p ph_ends_p(const struct ph_series *series);

#endif
