/* shape.h - in what way a series grew: the simplest curve that explains it. */
#ifndef PH_GROWTH_SHAPE_H
#define PH_GROWTH_SHAPE_H

#include "growth/knot.h"

#include <stdbool.h>

enum ph_shape {
    PH_SHAPE_FLAT,
    PH_SHAPE_LINE,
    PH_SHAPE_HINGE,
    PH_SHAPE_STEP,
    PH_SHAPE_FILL, /* saturating; 5 points and more */
    PH_SHAPE_COUNT,
};

struct ph_shape_fit {
    struct ph_knot knot;
    double fill_time; /* of PH_SHAPE_FILL */
    double score;     /* BIC: the least is the best */
};

struct ph_shapes {
    struct ph_shape_fit fits[PH_SHAPE_COUNT];
    enum ph_shape best;
    double phi, kappa; /* of the residuals of the closest curve: trend.h */
};

/**
 * ph_shapes_fit() - fit every shape. @scratch: points->count - 1 of them.
 *
 * Score: RSS / (phi * kappa) + k * ln(T / kappa), k parameters. Residuals that are alike from point to point, as of
 * objects that live long, would else be taken for bends of the curve. phi and kappa come from the curve that comes closest, so
 * that a wrong curve is not excused by its own misfit. Source: Schwarz, Ann. Stat. 6 (1978) 461.
 */
void ph_shapes_fit(const struct ph_points *points, struct ph_knot *scratch, struct ph_shapes *ret_shapes);

/** ph_shape_value() - a fitted shape at @time, 0..1. */
double ph_shape_value(const struct ph_points *points, const struct ph_shapes *shapes, enum ph_shape shape,
                      double time);

/** ph_shape_knot_kind() - the kind of curve behind a shape; PH_KNOT_STEP for PH_SHAPE_FLAT, whose gain is 0. */
enum ph_knot_kind ph_shape_knot_kind(enum ph_shape shape);

#endif
