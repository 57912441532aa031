#include "growth/shape.h"

#include "growth/trend.h"

#include <math.h>

#define FILL_MIN_POINTS 5

static const struct {
    enum ph_knot_kind kind;
    double parameters;
} traits[PH_SHAPE_COUNT] = {
    [PH_SHAPE_FLAT] = {PH_KNOT_STEP, 1},  /* level */
    [PH_SHAPE_LINE] = {PH_KNOT_HINGE, 2}, /* level, gain; the knot is at the first point */
    [PH_SHAPE_HINGE] = {PH_KNOT_HINGE, 3}, [PH_SHAPE_STEP] = {PH_KNOT_STEP, 3},
    [PH_SHAPE_FILL] = {PH_KNOT_FILL, 4}, /* and its time */
};

enum ph_knot_kind ph_shape_knot_kind(enum ph_shape shape)
{
    return traits[shape].kind;
}

double ph_shape_value(const struct ph_points *points, const struct ph_shapes *shapes, enum ph_shape shape,
                      double time)
{
    const struct ph_shape_fit *fit = &shapes->fits[shape];
    return ph_knot_value(&fit->knot, traits[shape].kind, fit->fill_time, points->time[fit->knot.index], time);
}

/* The time it takes to fill is searched on a coarse grid: it decides between shapes, and is not told. */
static void fit_fill(const struct ph_points *points, struct ph_shape_fit *fit)
{
    fit->knot.rss = INFINITY;
    for (double fill_time = 1.0 / 32; fill_time < 1 && points->count >= FILL_MIN_POINTS; fill_time *= 2) {
        struct ph_knot knot = ph_knot_fit(points, PH_KNOT_FILL, fill_time, NULL);
        if (knot.rss < fit->knot.rss) {
            fit->knot = knot;
            fit->fill_time = fill_time;
        }
    }
}

static void measure_scatter(const struct ph_points *points, struct ph_shapes *shapes, enum ph_shape closest)
{
    double squares = 0, neighbours = 0, before = 0, n = (double)points->count;
    for (size_t i = 0; i < points->count; i++) {
        double value = ph_shape_value(points, shapes, closest, points->time[i]);
        double residual = (points->value[i] - value) * sqrt(points->weight[i]);
        squares += residual * residual;
        neighbours += residual * before;
        before = residual;
    }
    shapes->phi = fmax(1, squares / fmax(1, n - traits[closest].parameters));
    shapes->kappa = ph_kappa(squares, neighbours, points->count);
}

static enum ph_shape least(const double *values)
{
    enum ph_shape best = PH_SHAPE_FLAT;
    for (enum ph_shape shape = PH_SHAPE_FLAT; shape < PH_SHAPE_COUNT; shape++)
        if (values[shape] < values[best])
            best = shape;
    return best;
}

void ph_shapes_fit(const struct ph_points *points, struct ph_knot *scratch, struct ph_shapes *ret_shapes)
{
    struct ph_shape_fit *fits = ret_shapes->fits;
    double values[PH_SHAPE_COUNT];

    fits[PH_SHAPE_FLAT] = (struct ph_shape_fit){.knot = ph_knot_flat(points)};
    fits[PH_SHAPE_HINGE] = (struct ph_shape_fit){.knot = ph_knot_fit(points, PH_KNOT_HINGE, 0, scratch)};
    fits[PH_SHAPE_LINE] = (struct ph_shape_fit){.knot = scratch[0]};
    fits[PH_SHAPE_STEP] = (struct ph_shape_fit){.knot = ph_knot_fit(points, PH_KNOT_STEP, 0, NULL)};
    fit_fill(points, &fits[PH_SHAPE_FILL]);
    for (enum ph_shape shape = PH_SHAPE_FLAT; shape < PH_SHAPE_COUNT; shape++)
        values[shape] = fits[shape].knot.rss;
    measure_scatter(points, ret_shapes, least(values));

    double scatter = ret_shapes->phi * ret_shapes->kappa, count = (double)points->count;
    for (enum ph_shape shape = PH_SHAPE_FLAT; shape < PH_SHAPE_COUNT; shape++) {
        double price = traits[shape].parameters * log(fmax(2, count / ret_shapes->kappa));
        values[shape] = fits[shape].score = fits[shape].knot.rss / scatter + price;
    }
    ret_shapes->best = least(values);
}
