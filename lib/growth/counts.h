/* counts.h - a series as counts that compare with one another and scatter as Poisson's at most. */
#ifndef PH_GROWTH_COUNTS_H
#define PH_GROWTH_COUNTS_H

#include "growth/series.h"

/**
 * ph_series_counts() - what was sampled, if at one rate; else the value in units of what one sample stands for in the
 * coarsest profile, so that the finer ones scatter less than their counts say, never more.
 * @ret_counts: series->point_count of them, 0 or more.
 */
void ph_series_counts(const struct ph_series *series, double *ret_counts);

#endif
