#include "growth/trend.h"

#include "growth/tails.h"

#include <math.h>

#define MOST_RHO          0.9
#define LATE_START_POINTS 12 /* from three quarters on, this many leave three points to rise */

double ph_anscombe(double count)
{
    return 2 * sqrt(count + 0.375);
}

double ph_kappa(double square_sum, double neighbour_sum, size_t count)
{
    double r = square_sum > 0 ? neighbour_sum / square_sum : 0;
    double rho = fmin(MOST_RHO, fmax(0, r + (2 + 5 * r) / (double)count));
    return (1 + rho) / (1 - rho);
}

struct ph_line ph_line_fit(const double *x, const double *y, size_t count)
{
    double n = (double)count, mean_x = 0, mean_y = 0, sxx = 0, sxy = 0;
    for (size_t i = 0; i < count; i++) {
        mean_x += x[i] / n;
        mean_y += y[i] / n;
    }
    for (size_t i = 0; i < count; i++) {
        sxx += (x[i] - mean_x) * (x[i] - mean_x);
        sxy += (x[i] - mean_x) * (y[i] - mean_y);
    }
    double slope = sxx > 0 ? sxy / sxx : 0, squares = 0, neighbours = 0, before = 0;
    for (size_t i = 0; i < count; i++) {
        double residual = y[i] - mean_y - slope * (x[i] - mean_x);
        squares += residual * residual;
        neighbours += residual * before;
        before = residual;
    }
    double phi = fmax(1, squares / (n - 2)), kappa = ph_kappa(squares, neighbours, count);
    return (struct ph_line){slope, slope * sqrt(sxx / (phi * kappa)), fmax(1, (n - 2) / kappa)};
}

struct ph_direction_p ph_trend_p(const struct ph_series *series, const double *counts, double *scratch)
{
    static const double starts[] = {0, 0.5, 0.75};
    size_t count = series->point_count, start_count = count >= LATE_START_POINTS ? 3 : 2;
    double *x = scratch, *y = scratch + count, first = series->seconds[0],
           span = series->seconds[count - 1] - first;
    struct ph_direction_p p = {1, 1};

    for (size_t i = 0; i < count; i++)
        y[i] = ph_anscombe(counts[i]);
    for (size_t k = 0; k < start_count; k++) {
        for (size_t i = 0; i < count; i++)
            x[i] = fmax(0, (series->seconds[i] - first) / span - starts[k]);
        struct ph_line line = ph_line_fit(x, y, count);
        double tail = ph_student_tail(fabs(line.t), line.freedom) * (double)start_count;
        if (line.t > 0)
            p.growth = fmin(p.growth, tail);
        if (line.t < 0)
            p.shrink = fmin(p.shrink, tail);
    }
    return p;
}
