#include "growth/late.h"

#include <math.h>

#define KEPT_SHARE    0.7
#define ALLOWED_SIGMA 2
#define FIFTH         5
#define LEAST_POINTS  8 /* of fewer, chance decides: with a third of 8 points, 1 leak in 5 seemed to have stopped */

static size_t at_least(size_t value, size_t least)
{
    return value > least ? value : least;
}

double ph_late_slope(const double *seconds, const double *y, size_t count)
{
    size_t half = at_least((count + 1) / 2, 2),
           used = at_least(count / 3, half < LEAST_POINTS ? half : LEAST_POINTS);
    size_t from = count - used;
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

struct swing {
    double gain;    /* from the first to the last level */
    double fall;    /* the largest from any level to a later one */
    double allowed; /* what sampling explains of that */
};

static struct swing swing_of(const double *counts, size_t count)
{
    size_t width = at_least(count / FIFTH, 1);
    double first = mean_from(counts, 0, width), highest = first;
    struct swing swing = {.gain = mean_from(counts, count - width, width) - first};
    for (size_t i = 0; i + width <= count; i++) {
        double level = mean_from(counts, i, width);
        highest = fmax(highest, level);
        if (highest - level > swing.fall) {
            swing.fall = highest - level;
            swing.allowed = ALLOWED_SIGMA * sqrt(highest + level);
        }
    }
    return swing;
}

bool ph_gain_is_kept(const double *counts, size_t count)
{
    struct swing swing = swing_of(counts, count);
    return swing.gain > 0 && swing.fall <= (1 - KEPT_SHARE) * swing.gain + swing.allowed;
}

bool ph_gain_is_swing(const double *counts, size_t count)
{
    struct swing swing = swing_of(counts, count);
    return swing.fall >= swing.gain;
}
