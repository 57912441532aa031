#include "growth/tails.h"

#include <math.h>
#include <stdbool.h>

#define EPSILON         1e-15
#define TINY            1e-300
#define MOST_ITERATIONS 20000 /* about 5 * sqrt(a + b) are needed */
#define MOST_TRIALS     1e6

/* Neither term of Lentz's fraction may be zero. */
static double away_from_zero(double value)
{
    return fabs(value) < TINY ? TINY : value;
}

/* The coefficients d of DLMF 8.17.23: even (2m) and odd (2m + 1). */
static double even_term(double a, double b, double x, double m)
{
    return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
}

static double odd_term(double a, double b, double x, double m)
{
    return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
}

struct lentz {
    double c, d, value;
};

/* One more level of the fraction; true if it changed nothing. */
static bool lentz_step(struct lentz *state, double term)
{
    state->d = 1 / away_from_zero(1 + term * state->d);
    state->c = away_from_zero(1 + term / state->c);
    double factor = state->c * state->d;
    state->value *= factor;
    return fabs(factor - 1) < EPSILON;
}

static double beta_fraction(double a, double b, double x)
{
    struct lentz state = {.c = 1, .d = 1 / away_from_zero(1 + odd_term(a, b, x, 0))};
    state.value = state.d;
    for (int m = 1; m < MOST_ITERATIONS; m++) {
        bool is_done = lentz_step(&state, even_term(a, b, x, m));
        if (lentz_step(&state, odd_term(a, b, x, m)) && is_done)
            break;
    }
    return state.value;
}

/* lgamma() keeps its sign in a global, which threads would share. */
static double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

/* x^a (1 - x)^b / (a B(a, b)), which stands before the fraction. */
static double beta_front(double a, double b, double x)
{
    double log_beta = log_gamma(a) + log_gamma(b) - log_gamma(a + b);
    return exp(a * log(x) + b * log1p(-x) - log_beta) / a;
}

double ph_beta_regularized(double a, double b, double x)
{
    if (!(x > 0))
        return 0;
    if (x >= 1)
        return 1;
    /* The fraction converges fast on this side of the mean only. */
    if (x > (a + 1) / (a + b + 2))
        return 1 - beta_front(b, a, 1 - x) * beta_fraction(b, a, 1 - x);
    return beta_front(a, b, x) * beta_fraction(a, b, x);
}

double ph_normal_tail(double z)
{
    return erfc(z * M_SQRT1_2) / 2;
}

double ph_student_tail(double t, double freedom)
{
    double square = t * t;
    if (isinf(square))
        return t > 0 ? 0 : 1;
    double tail = ph_beta_regularized(freedom / 2, 0.5, freedom / (freedom + square)) / 2;
    return t >= 0 ? tail : 1 - tail;
}

double ph_binomial_tail(double successes, double trials)
{
    if (!(successes > 0))
        return 1;
    if (successes > trials)
        return 0;
    if (trials > MOST_TRIALS)
        return ph_normal_tail((2 * successes - 1 - trials) / sqrt(trials));
    return ph_beta_regularized(successes, trials - successes + 1, 0.5);
}
