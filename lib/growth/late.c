#include "growth/late.h"

#include <math.h>

#define KEPT_SHARE    0.7
#define ALLOWED_SIGMA 2
#define FIFTH         5

static size_t at_least(size_t value, size_t least)
{
    return value > least ? value : least;
}

double ph_late_slope(const double *seconds, const double *y, size_t count)
{
    size_t used = at_least(count / 3, 2), from = count - used;
    double n = (double)used, mean_time = 0, mean_y = 0, stt = 0, sty = 0;
    for (size_t i = from; i < count; i++) {
        mean_time += seconds[i] / n;
        mean_y += y[i] / n;
    }
    for (size_t i = from; i < count; i++) {
        stt += (seconds[i] - mean_time) * (seconds[i] - mean_time);
        sty += (seconds[i] - mean_time) * (y[i] - mean_y);
    }
    return stt > 0 ? sty / stt : 0;
}

static double mean_from(const double *counts, size_t from, size_t count)
{
    double sum = 0;
    for (size_t i = from; i < from + count; i++)
        sum += counts[i];
    return sum / (double)count;
}

bool ph_gain_is_kept(const double *counts, size_t count)
{
    size_t width = at_least(count / FIFTH, 1);
    double first = mean_from(counts, 0, width), gain = mean_from(counts, count - width, width) - first,
           highest = first;
    for (size_t i = 0; i + width <= count; i++) {
        double level = mean_from(counts, i, width);
        highest = fmax(highest, level);
        if (highest - level > (1 - KEPT_SHARE) * gain + ALLOWED_SIGMA * sqrt(highest + level))
            return false;
    }
    return gain > 0;
}
