#include "growth/ends.h"

#define FIFTH 5

struct end {
    double sampled, value, turnover_variance;
};

static struct end mean_of(const struct ph_series *series, size_t from, size_t count)
{
    struct end end = {0};
    for (size_t i = from; i < from + count; i++) {
        end.sampled += series->sampled[i];
        end.value += series->value[i];
        end.turnover_variance += ph_turnover_variance(series->value[i], series->sampled[i]);
    }
    double n = (double)count;
    return (struct end){end.sampled / n, end.value / n, end.turnover_variance / n};
}

struct ph_direction_p ph_ends_p(const struct ph_series *series)
{
    size_t count = series->point_count / FIFTH;
    if (series->point_count == 2)
        return ph_pair_p(series);
    count = count ? count : 1;
    struct end first = mean_of(series, 0, count), last = mean_of(series, series->point_count - count, count);
    if (series->is_same_rate)
        return ph_counts_p(first.sampled, last.sampled);
    return ph_change_p(last.value - first.value, first.turnover_variance + last.turnover_variance);
}
