#include "growth/counts.h"

#include <math.h>

static double coarsest_unit(const struct ph_series *series)
{
    double unit = 0;
    for (size_t i = 0; i < series->point_count; i++)
        if (series->sampled[i] > 0)
            unit = fmax(unit, series->value[i] / series->sampled[i]);
    return unit;
}

void ph_series_counts(const struct ph_series *series, double *ret_counts)
{
    double unit = series->is_same_rate ? 0 : coarsest_unit(series);
    for (size_t i = 0; i < series->point_count; i++)
        ret_counts[i] = fmax(0, unit > 0 ? series->value[i] / unit : series->sampled[i]);
}
