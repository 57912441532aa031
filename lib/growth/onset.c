#include "growth/onset.h"

#include <math.h>

#define CHI_SQUARED_95 3.84

/* The lowest point of the parabola through three points, held between the outer ones. */
static double parabola_minimum(const double *x, double y0, double y1, double y2)
{
    double left = (x[1] - x[0]) * (y1 - y2), right = (x[1] - x[2]) * (y1 - y0), bottom = left - right;
    if (bottom == 0)
        return x[1];
    double minimum = x[1] - ((x[1] - x[0]) * left - (x[1] - x[2]) * right) / (2 * bottom);
    return fmin(x[2], fmax(x[0], minimum));
}

static double between_points(const struct ph_points *points, const struct ph_knot *knots, size_t best)
{
    if (best == 0 || best + 2 >= points->count)
        return points->time[best];
    return parabola_minimum(points->time + best - 1, knots[best - 1].rss, knots[best].rss, knots[best + 1].rss);
}

static size_t last_point_until(const struct ph_points *points, double time)
{
    size_t index = 0;
    while (index + 2 < points->count && points->time[index + 1] <= time)
        index++;
    return index;
}

struct ph_onset ph_onset_find(const struct ph_points *points, const struct ph_shapes *shapes, enum ph_shape shape,
                              struct ph_knot *scratch)
{
    const struct ph_shape_fit *fit = &shapes->fits[shape];
    struct ph_knot best = ph_knot_fit(points, ph_shape_knot_kind(shape), fit->fill_time, scratch);
    double limit = best.rss + CHI_SQUARED_95 * shapes->phi * shapes->kappa;
    size_t low = best.index, high = best.index;
    while (low > 0 && scratch[low - 1].rss <= limit)
        low--;
    while (high + 2 < points->count && scratch[high + 1].rss <= limit)
        high++;

    const double *time = points->time;
    if (shape == PH_SHAPE_STEP)
        return (struct ph_onset){best.index, (time[best.index] + time[best.index + 1]) / 2, time[low],
                                 time[high + 1]};
    double knot = between_points(points, scratch, best.index);
    return (struct ph_onset){last_point_until(points, knot), knot, time[low > 0 ? low - 1 : 0], time[high + 1]};
}
