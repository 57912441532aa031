/* trend.h - does a series rise all along, or from some time on? */
#ifndef PH_GROWTH_TREND_H
#define PH_GROWTH_TREND_H

#include "growth/pair.h"

#define PH_TREND_MIN_POINTS 8 /* fewer leave nothing to tell autocorrelation by */

/** ph_anscombe() - 2 * sqrt(n + 3/8): of a Poisson count, with variance 1 whatever its mean (from about 4 up).
 * Source: Anscombe, Biometrika 35 (1948) 246. */
double ph_anscombe(double count);

/**
 * ph_kappa() - how many points say as much as one independent point, 1..19: (1 + rho) / (1 - rho) (Bayley, Hammersley, JRSS
 * Suppl. 8 (1946) 184). rho is the first autocorrelation r = @neighbour_sum / @square_sum of @count residuals, corrected
 * for its bias and held in 0..0.9. Residuals of a line are less alike than what they came from, by (2 + 5 rho) / T; of a
 * mean it is (1 + 4 rho) / T (Marriott, Pope, Biometrika 41 (1954) 390). With the
 * latter, alarms were false more often than p says: doc/growth.md.
 */
double ph_kappa(double square_sum, double neighbour_sum, size_t count);

/* A straight line through points that may be autocorrelated. */
struct ph_line {
    double slope;
    double t;       /* slope by its standard error, both of which know that neighbours are alike */
    double freedom; /* degrees of freedom of t */
};

/**
 * ph_line_fit() - least squares of y, which has variance 1 or more, on x; @count of both, at least 3.
 *
 * Residuals give phi = max(1, RSS / (T - 2)), how much more they scatter than sampling does, and kappa.
 * t = slope * sqrt(Sxx / (phi * kappa)), freedom max(1, (T - 2) / kappa).
 */
struct ph_line ph_line_fit(const double *x, const double *y, size_t count);

/**
 * ph_trend_p() - of a rise of ph_anscombe(counts) from the beginning, from the half, and (12 points and more) from three
 * quarters of the time on; the least p of these, times how many they are (Bonferroni).
 * @counts: series->point_count of them, at least PH_TREND_MIN_POINTS. @scratch: room for twice as many.
 */
struct ph_direction_p ph_trend_p(const struct ph_series *series, const double *counts, double *scratch);

#endif
