#include "growth/knot.h"

#include <math.h>

/* Of all three kinds, g(t - tau) is p + q * f(t) behind the knot, so that one set of sums serves every knot. */
struct curve {
    double p, q;
};

static double basis(enum ph_knot_kind kind, double fill_time, double time)
{
    switch (kind) {
    case PH_KNOT_HINGE:
        return time;
    case PH_KNOT_FILL:
        return exp(-time / fill_time);
    default:
        return 0;
    }
}

static struct curve curve_from(enum ph_knot_kind kind, double fill_time, double knot_time)
{
    switch (kind) {
    case PH_KNOT_HINGE:
        return (struct curve){-knot_time, 1};
    case PH_KNOT_FILL:
        return (struct curve){1, -exp(knot_time / fill_time)};
    default:
        return (struct curve){1, 0};
    }
}

/* Sums over the points behind the knot: weights, f, and the centred values y. */
struct sums {
    double w, f, ff, y, fy;
};

static void add_point(struct sums *sums, double weight, double f, double y)
{
    sums->w += weight;
    sums->f += weight * f;
    sums->ff += weight * f * f;
    sums->y += weight * y;
    sums->fy += weight * f * y;
}

struct whole {
    double weight, mean, rss; /* of the flat line */
};

static struct whole whole_of(const struct ph_points *points)
{
    struct whole whole = {0};
    for (size_t i = 0; i < points->count; i++) {
        whole.weight += points->weight[i];
        whole.mean += points->weight[i] * points->value[i];
    }
    whole.mean /= whole.weight;
    for (size_t i = 0; i < points->count; i++) {
        double y = points->value[i] - whole.mean;
        whole.rss += points->weight[i] * y * y;
    }
    return whole;
}

static struct ph_knot solve(const struct sums *sums, struct curve curve, const struct whole *whole, size_t index)
{
    double p = curve.p, q = curve.q, sx = p * sums->w + q * sums->f;
    double sxx = p * p * sums->w + 2 * p * q * sums->f + q * q * sums->ff - sx * sx / whole->weight;
    double sxy = p * sums->y + q * sums->fy; /* y is centred: no more to subtract */
    double gain = sxx > 0 ? fmax(0, sxy / sxx) : 0;
    return (struct ph_knot){index, fmax(0, whole->rss - gain * sxy), whole->mean - gain * sx / whole->weight, gain};
}

struct ph_knot ph_knot_fit(const struct ph_points *points, enum ph_knot_kind kind, double fill_time,
                           struct ph_knot *ret_knots)
{
    struct whole whole = whole_of(points);
    struct ph_knot best = {points->count - 2, INFINITY, whole.mean, 0};
    struct sums sums = {0};
    for (size_t i = points->count - 1; i > 0; i--) {
        add_point(&sums, points->weight[i], basis(kind, fill_time, points->time[i]), points->value[i] - whole.mean);
        struct ph_knot knot = solve(&sums, curve_from(kind, fill_time, points->time[i - 1]), &whole, i - 1);
        if (ret_knots)
            ret_knots[i - 1] = knot;
        if (knot.rss <= best.rss)
            best = knot;
    }
    return best;
}

struct ph_knot ph_knot_flat(const struct ph_points *points)
{
    struct whole whole = whole_of(points);
    return (struct ph_knot){0, whole.rss, whole.mean, 0};
}

double ph_knot_value(const struct ph_knot *knot, enum ph_knot_kind kind, double fill_time, double knot_time,
                     double time)
{
    struct curve curve = curve_from(kind, fill_time, knot_time);
    return knot->level + (time > knot_time ? knot->gain * (curve.p + curve.q * basis(kind, fill_time, time)) : 0);
}
