#include "growth/pair.h"

#include "growth/tails.h"

#include <math.h>

double ph_series_change(const struct ph_series *series, double *ret_variance)
{
    size_t last = series->point_count - 1;
    double apart = series->variance[0] + series->variance[last];
    *ret_variance = series->churn_variance >= 0 ? fmin(apart, series->churn_variance) : apart;
    return series->value[last] - series->value[0];
}

struct ph_direction_p ph_counts_p(double before, double after)
{
    double sum = before + after;
    return (struct ph_direction_p){ph_binomial_tail(after, sum), ph_binomial_tail(before, sum)};
}

struct ph_direction_p ph_change_p(double change, double variance)
{
    if (!(variance > 0))
        return (struct ph_direction_p){1, 1};
    double z = change / sqrt(variance);
    return (struct ph_direction_p){ph_normal_tail(z), ph_normal_tail(-z)};
}

double ph_turnover_variance(double value, double sampled)
{
    return sampled > 0 ? value * value / sampled : 0;
}

/*
 * How many samples came and went. With R = variance / value and the size that one sample stands for, u = value /
 * sampled, churn_variance = R * (dA + dF) is R * u for each sample that came or went.
 */
static bool has_turnover(const struct ph_series *series, double *ret_count)
{
    size_t last = series->point_count - 1;
    size_t larger = series->sampled[last] >= series->sampled[0] ? last : 0;
    if (!(series->churn_variance >= 0) || !series->is_same_rate || !(series->variance[larger] > 0))
        return false;
    *ret_count = series->churn_variance * series->sampled[larger] / series->variance[larger];
    return true;
}

struct ph_direction_p ph_pair_p(const struct ph_series *series)
{
    size_t last = series->point_count - 1;
    double before = series->sampled[0], after = series->sampled[last], turnover;
    if (has_turnover(series, &turnover)) {
        /* Estimates of mixed sizes may contradict the counts a little: nothing went that was not there. */
        double change = after - before, sum = fmax(fmin(turnover, before + after), fabs(change));
        return ph_counts_p((sum - change) / 2, (sum + change) / 2);
    }
    if (series->is_same_rate)
        return ph_counts_p(before, after);
    return ph_change_p(series->value[last] - series->value[0],
                       ph_turnover_variance(series->value[0], before) +
                           ph_turnover_variance(series->value[last], after));
}
