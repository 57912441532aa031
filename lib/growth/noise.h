/*
 * noise.h - how far the values of one sample of a heap profile can be trusted.
 *
 * A profile holds estimates: objects N and bytes S of a stack, already divided by p = 1 - exp(-x/R), x = S/N, the chance
 * that an object was sampled. Here they are taken back to what was really seen. All of it is for one sample of one
 * profile, before anything is summed; what is summed over samples (lines of one function, a whole profile) adds up, as
 * counts and variances of independent samples do.
 *
 * @rate_bytes is R; at most 1, or NAN, means that every allocation was recorded, or that nobody knows. Then sampling adds
 * no error, and what is left is the chance of the program itself, which allocates and frees at random: the turnover
 * of a Poisson population.
 */
#ifndef PH_GROWTH_NOISE_H
#define PH_GROWTH_NOISE_H

/**
 * ph_sampled_count() - n: how many objects were really seen, N * p. Not whole, as estimates were rounded.
 * @objects: NAN where a profile does not tell (folded stacks): then bytes / R, which is n of objects smaller than R.
 *
 * 0 for a missing stack, and for one with negative values (a difference of profiles), where nothing can be said.
 */
double ph_sampled_count(double objects, double bytes, double rate_bytes);

/**
 * ph_bytes_variance() - bound of the variance of the bytes, bytes squared: R * S; N * x * x if all was recorded.
 *
 * An object of s bytes stands for s / p, so that the variance is the sum of s * s * (1 - p) / p, which is at most the sum
 * of R * s, for exp(u) - 1 >= u. The bound, and not the formula with the mean size: that understates stacks of mixed
 * sizes up to twelve times. Source: jemalloc doc_internal/PROFILING_INTERNALS.md; doc/sampling.md.
 */
double ph_bytes_variance(double objects, double bytes, double rate_bytes);

/** ph_objects_variance() - the same of the objects, each of which stands for 1 / p: R * N / x; N if all was recorded. */
double ph_objects_variance(double objects, double bytes, double rate_bytes);

/**
 * ph_churn_variance() - bound of the variance of a change of in-use bytes between two profiles of one process, which saw
 * the same survivors: only what was allocated or freed between them is uncertain, R * (dA + dF), dF = dA - change.
 * @allocated_bytes: dA, the change of the cumulative bytes of the stack. @change_bytes: of those in use.
 *
 * For struct ph_series.churn_variance. Of objects: divide by the mean size squared. Negative (not known) if R is at most
 * 1 or unknown, or the counts contradict one another (dA < 0: another process).
 */
double ph_churn_variance(double allocated_bytes, double change_bytes, double rate_bytes);

#endif
