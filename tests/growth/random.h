/* random.h - random numbers for simulations: the same sequence from the same seed on every machine. */
#ifndef TESTS_GROWTH_RANDOM_H
#define TESTS_GROWTH_RANDOM_H

#include <stdint.h>

struct random_state {
    uint64_t words[4];
};

void random_seed(struct random_state *state, uint64_t seed);

/** random_uniform() - above 0, below 1. */
double random_uniform(struct random_state *state);

/** random_between() - uniform. */
double random_between(struct random_state *state, double low, double high);

/** random_log_between() - uniform in the logarithm: as many from 1 to 10 as from 10 to 100. */
double random_log_between(struct random_state *state, double low, double high);

/** random_poisson() - exact, for any @mean from 0 to 1e9. */
double random_poisson(struct random_state *state, double mean);

/** random_binomial() - exact: how many of @count survive, each with probability @p. */
double random_binomial(struct random_state *state, double count, double p);

#endif
