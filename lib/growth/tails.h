/*
 * tails.h - tails of distributions: the chance of a value as large, or larger.
 *
 * Exact to about 1e-10 of the value, far tails included (1e-300): where thousands of stacks are judged at once, what counts
 * happens there. Own code, as libm has only erfc() and lgamma().
 */
#ifndef PH_GROWTH_TAILS_H
#define PH_GROWTH_TAILS_H

/** ph_normal_tail() - P(Z >= z) of the standard normal distribution. */
double ph_normal_tail(double z);

/** ph_student_tail() - P(X >= t) of Student's distribution with @freedom > 0 degrees of freedom, not only whole ones. */
double ph_student_tail(double t, double freedom);

/**
 * ph_binomial_tail() - P(X >= successes) of @trials throws of a fair coin.
 *
 * Neither need be whole: between whole numbers it is the incomplete beta function, which rises and falls smoothly. Above a
 * million trials the normal distribution with the correction for continuity, then exact to 1e-3 of the value at 6 sigma.
 */
double ph_binomial_tail(double successes, double trials);

/**
 * ph_beta_regularized() - the incomplete beta function I_x(a, b) for a, b > 0 and 0 <= x <= 1.
 * Source: the continued fraction of DLMF 8.17.22, by the modified method of Lentz (Thompson, Barnett, J. Comp. Phys. 64
 * (1986) 490).
 */
double ph_beta_regularized(double a, double b, double x);

#endif
