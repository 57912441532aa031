#include "growth/knot.h"
#include "points_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

static struct points_fixture fixture;

static void expect(double is, double should_be)
{
    if (fabs(is - should_be) > 1e-9 * fmax(1, fabs(should_be)))
        fail_msg("%.17g, expected %.17g", is, should_be);
}

static void the_curve_a_series_was_made_of_is_found_again(void **state)
{
    for (enum ph_knot_kind kind = PH_KNOT_STEP; kind <= PH_KNOT_FILL; kind++) {
        points_make(&fixture, kind, 0.1, 0.25, 50, 30);
        struct ph_knot knot = ph_knot_fit(&fixture.points, kind, 0.1, NULL);
        assert_int_equal(knot.index, 10);
        expect(knot.rss, 0);
        expect(knot.level, 50);
        expect(knot.gain, 30);
        for (size_t i = 0; i < POINTS_COUNT; i++)
            expect(ph_knot_value(&knot, kind, 0.1, 0.25, fixture.time[i]), fixture.value[i]);
    }
}

/* Least squares the long way, for one knot. */
static double slow_rss(enum ph_knot_kind kind, double fill_time, size_t at)
{
    struct points_fixture basis;
    double w = 0, sx = 0, sy = 0, sxx = 0, sxy = 0, rss = 0;
    points_make(&basis, kind, fill_time, fixture.time[at], 0, 1);
    for (size_t i = 0; i < POINTS_COUNT; i++) {
        w += fixture.weight[i];
        sx += fixture.weight[i] * basis.value[i];
        sy += fixture.weight[i] * fixture.value[i];
    }
    for (size_t i = 0; i < POINTS_COUNT; i++) {
        double x = basis.value[i] - sx / w, y = fixture.value[i] - sy / w;
        sxx += fixture.weight[i] * x * x;
        sxy += fixture.weight[i] * x * y;
    }
    double gain = fmax(0, sxy / sxx);
    for (size_t i = 0; i < POINTS_COUNT; i++) {
        double residual = fixture.value[i] - sy / w - gain * (basis.value[i] - sx / w);
        rss += fixture.weight[i] * residual * residual;
    }
    return rss;
}

static void every_knot_is_the_least_squares_one(void **state)
{
    struct ph_knot knots[POINTS_COUNT - 1];
    points_make(&fixture, PH_KNOT_HINGE, 0, 0.4, 50, 200);
    points_shake(&fixture, 7);
    for (size_t i = 0; i < POINTS_COUNT; i++)
        fixture.weight[i] = 1 / (1 + fixture.time[i]);
    for (enum ph_knot_kind kind = PH_KNOT_STEP; kind <= PH_KNOT_FILL; kind++) {
        struct ph_knot best = ph_knot_fit(&fixture.points, kind, 0.05, knots);
        for (size_t i = 0; i + 1 < POINTS_COUNT; i++) {
            assert_true(fabs(knots[i].rss - slow_rss(kind, 0.05, i)) < 1e-7 * knots[i].rss);
            assert_true(best.rss <= knots[i].rss);
        }
    }
}

static void curves_that_fall_are_no_answer(void **state)
{
    points_make(&fixture, PH_KNOT_HINGE, 0, 0.5, 50, -30);
    struct ph_knot knot = ph_knot_fit(&fixture.points, PH_KNOT_STEP, 0, NULL), flat = ph_knot_flat(&fixture.points);
    assert_true(knot.gain == 0);
    expect(knot.rss, flat.rss);
}

static void the_flat_curve_is_the_weighted_mean(void **state)
{
    static const double time[] = {0, 0.5, 1}, value[] = {1, 2, 6}, weight[] = {2, 1, 1};
    struct ph_points points = {time, value, weight, 3};
    struct ph_knot flat = ph_knot_flat(&points);
    expect(flat.level, 2.5);
    expect(flat.rss, 2 * 2.25 + 0.25 + 12.25);
    assert_true(flat.gain == 0);
}

static void two_points_have_one_knot(void **state)
{
    static const double time[] = {0, 1}, value[] = {1, 5}, weight[] = {1, 1};
    struct ph_points points = {time, value, weight, 2};
    struct ph_knot knot = ph_knot_fit(&points, PH_KNOT_HINGE, 0, NULL);
    assert_int_equal(knot.index, 0);
    expect(knot.level, 1);
    expect(knot.gain, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_curve_a_series_was_made_of_is_found_again),
        cmocka_unit_test(every_knot_is_the_least_squares_one),
        cmocka_unit_test(curves_that_fall_are_no_answer),
        cmocka_unit_test(the_flat_curve_is_the_weighted_mean),
        cmocka_unit_test(two_points_have_one_knot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
