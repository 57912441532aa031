#include "growth/onset.h"
#include "points_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

static struct points_fixture fixture;

static struct ph_onset onset_of(enum ph_shape shape)
{
    struct ph_knot scratch[POINTS_COUNT - 1];
    struct ph_shapes shapes;
    ph_shapes_fit(&fixture.points, scratch, &shapes);
    return ph_onset_find(&fixture.points, &shapes, shape, scratch);
}

static void a_bend_is_found_where_it_is(void **state)
{
    points_make(&fixture, PH_KNOT_HINGE, 0, 0.5, 50, 80);
    points_shake(&fixture, 1);
    struct ph_onset onset = onset_of(PH_SHAPE_HINGE);
    assert_true(fabs(onset.time - 0.5) < 0.03);
    assert_true(onset.low < 0.5 && onset.high > 0.5 && onset.high - onset.low < 0.4);
    assert_true(fixture.time[onset.index] <= onset.time && onset.time <= fixture.time[onset.index + 1]);
}

/* 0.5125 is half way between two points. */
static void a_bend_between_two_points_is_found_between_them(void **state)
{
    points_make(&fixture, PH_KNOT_HINGE, 0, 0.5125, 50, 800);
    struct ph_onset onset = onset_of(PH_SHAPE_HINGE);
    assert_int_equal(onset.index, 20);
    assert_true(fabs(onset.time - 0.5125) < 0.003);
    assert_true(onset.low < 0.5125 && onset.high > 0.5125);
}

static void a_step_lies_between_two_points(void **state)
{
    points_make(&fixture, PH_KNOT_STEP, 0, 0.25, 50, 40);
    points_shake(&fixture, 1);
    struct ph_onset onset = onset_of(PH_SHAPE_STEP);
    assert_int_equal(onset.index, 10);
    assert_true(fabs(onset.time - 0.2625) < 1e-12);
    assert_true(onset.low == fixture.time[10] && onset.high == fixture.time[11]);
}

static void more_scatter_makes_the_interval_wider(void **state)
{
    double width[2];
    for (int i = 0; i < 2; i++) {
        points_make(&fixture, PH_KNOT_HINGE, 0, 0.5, 50, 80);
        points_shake(&fixture, i ? 8 : 1);
        struct ph_onset onset = onset_of(PH_SHAPE_HINGE);
        width[i] = onset.high - onset.low;
    }
    assert_true(width[1] > 1.5 * width[0]);
}

static void growth_from_the_beginning_begins_there(void **state)
{
    points_make(&fixture, PH_KNOT_HINGE, 0, 0, 50, 80);
    points_shake(&fixture, 1);
    struct ph_onset onset = onset_of(PH_SHAPE_LINE);
    assert_int_equal(onset.index, 0);
    assert_true(onset.time < 0.05 && onset.low == 0);
}

static void three_points_have_an_onset(void **state)
{
    static const double time[] = {0, 0.5, 1}, value[] = {20, 20, 90}, weight[] = {1, 1, 1};
    struct ph_points points = {time, value, weight, 3};
    struct ph_knot scratch[2];
    struct ph_shapes shapes;
    ph_shapes_fit(&points, scratch, &shapes);
    struct ph_onset onset = ph_onset_find(&points, &shapes, PH_SHAPE_HINGE, scratch);
    assert_int_equal(onset.index, 1);
    assert_true(onset.time == 0.5 && onset.low == 0 && onset.high == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bend_is_found_where_it_is),
        cmocka_unit_test(a_bend_between_two_points_is_found_between_them),
        cmocka_unit_test(a_step_lies_between_two_points),
        cmocka_unit_test(more_scatter_makes_the_interval_wider),
        cmocka_unit_test(growth_from_the_beginning_begins_there),
        cmocka_unit_test(three_points_have_an_onset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
