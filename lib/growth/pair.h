/*
 * pair.h - two looks at one stack: did it grow, or is that the luck of sampling?
 *
 * All p-values are one-sided: as much growth (or shrinking) or more, if nothing had changed.
 */
#ifndef PH_GROWTH_PAIR_H
#define PH_GROWTH_PAIR_H

#include "growth/series.h"

struct ph_direction_p {
    double growth, shrink;
};

/** ph_series_change() - of the value from first to last point, and a bound of the variance that sampling gives it: of both
 * points, or of what was allocated and freed between, where that is known and less. */
double ph_series_change(const struct ph_series *series, double *ret_variance);

/**
 * ph_counts_p() - of two counts that come from equal rates, each is half of the sum: exact binomial at 1/2. They need
 * not be whole. From nothing to k: 2^-k, so that it takes 14 samples for p < 1e-4.
 * Source: Przyborowski, Wilenski, Biometrika 31 (1940) 313 (the conditional test of two Poisson means).
 */
struct ph_direction_p ph_counts_p(double before, double after);

/** ph_change_p() - of a change with a known variance (above 0; else both 1): normal. For profiles of different rates. */
struct ph_direction_p ph_change_p(double change, double variance);

/** ph_turnover_variance() - of a value that @sampled objects stand for, if their population comes and goes by chance: a
 * relative error of 1 / sqrt(n). It holds the sampling variance. 0 without samples. */
double ph_turnover_variance(double value, double sampled);

/**
 * ph_pair_p() - of the first and the last point of a series.
 *
 * Counts with counts; if the rates differ, values. Where it is known that fewer samples came and went between than there are
 * (churn_variance), those that came with those that went: survivors say nothing of growth, and hide it. Of a queue M/M/inf
 * the change has the variance 2 m (1 - exp(-t/L)), which is less than either sum: the smaller may be taken.
 */
struct ph_direction_p ph_pair_p(const struct ph_series *series);

#endif
