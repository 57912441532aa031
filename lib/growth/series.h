/*
 * series.h - one stack over time, as the statistics see it.
 *
 * A heap profile is a sample: of a stack with n sampled objects only the estimate S = sum of s/p is known, where an
 * object of s bytes was sampled with probability p = 1 - exp(-s/R). Points are in the order of time.
 */
#ifndef PH_GROWTH_SERIES_H
#define PH_GROWTH_SERIES_H

#include <stdbool.h>
#include <stddef.h>

struct ph_series {
    size_t point_count;     /* T, at least 2 */
    const double *seconds;  /* T times, strictly rising, from any zero */
    const double *sampled;  /* T: objects that were sampled (n); 0 where the stack is missing */
    const double *value;    /* T: the estimate in units of the metric (bytes or objects) */
    const double *variance; /* T: bound of the sampling variance of value, in its unit squared; see noise.h */
    bool is_same_rate;     /* all points were sampled at one rate, so that counts compare; else only estimates do */
    double churn_variance; /* of value[T-1] - value[0] by what was allocated and freed between: R * (dA + dF), where
                                cumulative counts of one process are known; negative where they are not */
};

#endif
