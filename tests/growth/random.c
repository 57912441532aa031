#include "random.h"

#include <math.h>

#define SMALL_MEAN 10 /* below, the transformed rejection methods are not exact */

/* splitmix64, to spread the seed (Steele, Lea, Flood, 2014). */
static uint64_t spread(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void random_seed(struct random_state *state, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        state->words[i] = spread(&seed);
}

static uint64_t rotate(uint64_t word, int bits)
{
    return word << bits | word >> (64 - bits);
}

/* xoshiro256++ (Blackman, Vigna, 2019). */
static uint64_t next(struct random_state *state)
{
    uint64_t *s = state->words, result = rotate(s[0] + s[3], 23) + s[0], shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 45);
    return result;
}

double random_uniform(struct random_state *state)
{
    return ((double)(next(state) >> 12) + 0.5) * 0x1p-52;
}

double random_between(struct random_state *state, double low, double high)
{
    return low + (high - low) * random_uniform(state);
}

double random_log_between(struct random_state *state, double low, double high)
{
    return exp(random_between(state, log(low), log(high)));
}

/* lgamma() keeps its sign in a global. */
static double log_factorial(double n)
{
    int sign;
    return lgamma_r(n + 1, &sign);
}

static double poisson_small(struct random_state *state, double mean)
{
    double limit = exp(-mean), product = random_uniform(state), count = 0;
    for (; product > limit; count++)
        product *= random_uniform(state);
    return count;
}

/* PTRS: Hoermann, The transformed rejection method for generating Poisson random variables, 1993. */
static double poisson_large(struct random_state *state, double mean)
{
    double b = 0.931 + 2.53 * sqrt(mean), a = -0.059 + 0.02483 * b;
    double alpha = 1.1239 + 1.1328 / (b - 3.4), quick = 0.9277 - 3.6224 / (b - 2);
    for (;;) {
        double u = random_uniform(state) - 0.5, v = random_uniform(state), us = 0.5 - fabs(u);
        double k = floor((2 * a / us + b) * u + mean + 0.43);
        if (us >= 0.07 && v <= quick)
            return k;
        if (k < 0 || (us < 0.013 && v > us))
            continue;
        if (log(v * alpha / (a / (us * us) + b)) <= k * log(mean) - mean - log_factorial(k))
            return k;
    }
}

double random_poisson(struct random_state *state, double mean)
{
    return mean < SMALL_MEAN ? poisson_small(state, mean) : poisson_large(state, mean);
}

/* Gaps between successes are geometric. */
static double binomial_small(struct random_state *state, double count, double p)
{
    double successes = 0, at = 0, scale = log1p(-p);
    for (;; successes++) {
        at += floor(log(random_uniform(state)) / scale) + 1;
        if (at > count)
            return successes;
    }
}

/* BTRS: Hoermann, The generation of binomial random variates, J. Stat. Comput. Simul. 46 (1993) 101. */
static double binomial_large(struct random_state *state, double n, double p)
{
    double sigma = sqrt(n * p * (1 - p)), b = 1.15 + 2.53 * sigma, a = -0.0873 + 0.0248 * b + 0.01 * p;
    double quick = 0.92 - 4.2 / b, alpha = (2.83 + 5.1 / b) * sigma, odds = log(p / (1 - p));
    double mode = floor((n + 1) * p), top = log_factorial(mode) + log_factorial(n - mode);
    for (;;) {
        double u = random_uniform(state) - 0.5, v = random_uniform(state), us = 0.5 - fabs(u);
        double k = floor((2 * a / us + b) * u + n * p + 0.5);
        if (us >= 0.07 && v <= quick)
            return k;
        if (k < 0 || k > n)
            continue;
        double limit = top - log_factorial(k) - log_factorial(n - k) + (k - mode) * odds;
        if (log(v * alpha / (a / (us * us) + b)) <= limit)
            return k;
    }
}

double random_binomial(struct random_state *state, double count, double p)
{
    if (!(count > 0) || !(p > 0))
        return 0;
    if (p >= 1)
        return count;
    if (p > 0.5)
        return count - random_binomial(state, count, 1 - p);
    return count * p < SMALL_MEAN ? binomial_small(state, count, p) : binomial_large(state, count, p);
}
