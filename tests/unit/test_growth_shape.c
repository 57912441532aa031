#include "growth/shape.h"
#include "points_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

static struct points_fixture fixture;
static struct ph_shapes shapes;

static enum ph_shape best_of(enum ph_knot_kind kind, double fill_time, double tau, double gain)
{
    struct ph_knot scratch[POINTS_COUNT - 1];
    points_make(&fixture, kind, fill_time, tau, 50, gain);
    points_shake(&fixture, 1);
    ph_shapes_fit(&fixture.points, scratch, &shapes);
    return shapes.best;
}

static void each_shape_is_known_by_its_curve(void **state)
{
    assert_int_equal(best_of(PH_KNOT_STEP, 0, 0, 0), PH_SHAPE_FLAT);
    assert_int_equal(best_of(PH_KNOT_HINGE, 0, 0, 40), PH_SHAPE_LINE);
    assert_int_equal(best_of(PH_KNOT_HINGE, 0, 0.5, 80), PH_SHAPE_HINGE);
    assert_int_equal(best_of(PH_KNOT_STEP, 0, 0.5, 40), PH_SHAPE_STEP);
    assert_int_equal(best_of(PH_KNOT_FILL, 0.15, 0, 40), PH_SHAPE_FILL);
}

static void a_fitted_shape_follows_its_curve(void **state)
{
    best_of(PH_KNOT_FILL, 0.125, 0.25, 40);
    assert_true(fabs(ph_shape_value(&fixture.points, &shapes, PH_SHAPE_FILL, 0.1) - 50) < 1);
    assert_true(fabs(ph_shape_value(&fixture.points, &shapes, PH_SHAPE_FILL, 1) - 90) < 1);
    assert_true(fabs(ph_shape_value(&fixture.points, &shapes, PH_SHAPE_FLAT, 0.1) -
                     ph_shape_value(&fixture.points, &shapes, PH_SHAPE_FLAT, 0.9)) < 1e-12);
}

/* Long waves look like bends; that they are alike from point to point says that they are none. */
static void slow_waves_are_not_taken_for_bends(void **state)
{
    struct ph_knot scratch[POINTS_COUNT - 1];
    points_make(&fixture, PH_KNOT_HINGE, 0, 0, 50, 40);
    for (size_t i = 0; i < POINTS_COUNT; i++)
        fixture.value[i] += 4 * sin(3.75 * M_PI * fixture.time[i]);
    ph_shapes_fit(&fixture.points, scratch, &shapes);
    assert_true(shapes.kappa > 5);
    assert_int_equal(shapes.best, PH_SHAPE_LINE);
}

static void scatter_is_never_less_than_sampling(void **state)
{
    struct ph_knot scratch[POINTS_COUNT - 1];
    points_make(&fixture, PH_KNOT_HINGE, 0, 0, 50, 40);
    ph_shapes_fit(&fixture.points, scratch, &shapes);
    assert_true(shapes.phi == 1);
    points_shake(&fixture, 3);
    ph_shapes_fit(&fixture.points, scratch, &shapes);
    assert_true(shapes.phi > 6 && shapes.phi < 12); /* about 3 squared */
}

/* Four points always lie on a curve of four parameters. */
static void a_filling_curve_wants_five_points(void **state)
{
    static const double time[] = {0, 0.25, 0.5, 0.75, 1}, value[] = {0, 70, 95, 99, 100},
                        weight[] = {1, 1, 1, 1, 1};
    struct ph_points points = {time, value, weight, 4};
    struct ph_knot scratch[4];
    ph_shapes_fit(&points, scratch, &shapes);
    assert_true(isinf(shapes.fits[PH_SHAPE_FILL].score));
    points.count = 5;
    ph_shapes_fit(&points, scratch, &shapes);
    assert_int_equal(shapes.best, PH_SHAPE_FILL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_shape_is_known_by_its_curve),   cmocka_unit_test(a_fitted_shape_follows_its_curve),
        cmocka_unit_test(slow_waves_are_not_taken_for_bends), cmocka_unit_test(scatter_is_never_less_than_sampling),
        cmocka_unit_test(a_filling_curve_wants_five_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
