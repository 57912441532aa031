#include "growth/trend.h"
#include "series_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

static struct series_fixture fixture;

static void expect(double is, double should_be)
{
    if (fabs(is - should_be) > 1e-9 * fabs(should_be))
        fail_msg("%.17g, expected %.17g", is, should_be);
}

/* Expected values by the formulas of trend.h in another language; tails by mpmath. */
static void a_line_knows_how_much_its_points_scatter(void **state)
{
    static const double x[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, y[] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3};
    struct ph_line line = ph_line_fit(x, y, 10);
    expect(line.slope, 0.2727272727272727);
    expect(line.t, 1.0033500931359767); /* phi = 6.095, kappa = 1 */
    expect(line.freedom, 8);
}

static void a_line_knows_that_neighbours_are_alike(void **state)
{
    static const double x[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, y[] = {10, 13, 15, 16, 16, 15, 13, 10, 6, 1};
    struct ph_line line = ph_line_fit(x, y, 10);
    expect(line.slope, -1);
    expect(line.t, -0.512989176042577); /* phi = 16.5, kappa = 19 */
    expect(line.freedom, 1);
}

/* Points nearer to their line than sampling allows are luck, not precision. */
static void a_line_is_never_surer_than_sampling(void **state)
{
    static const double x[] = {0, 1, 2, 3}, y[] = {0, 1, 2, 3};
    struct ph_line line = ph_line_fit(x, y, 4);
    expect(line.slope, 1);
    expect(line.t, sqrt(5) / sqrt(3)); /* phi = 1; kappa = 3: of 4 points r is too low by 1/2 */
}

static void a_line_without_width_has_no_slope(void **state)
{
    static const double x[] = {2, 2, 2}, y[] = {0, 1, 2};
    assert_true(ph_line_fit(x, y, 3).t == 0);
}

static void alike_neighbours_count_for_less(void **state)
{
    expect(ph_kappa(10, 2, 10), 3);   /* 0.2 + 0.3 */
    expect(ph_kappa(10, -5, 10), 1);  /* at least */
    expect(ph_kappa(10, 10, 10), 19); /* at most */
    expect(ph_kappa(0, 0, 10), 1.5);
}

static void the_root_of_a_count_has_variance_one(void **state)
{
    expect(ph_anscombe(0), 2 * sqrt(0.375));
    /* Delta method: a step of one sigma is about one. */
    assert_true(fabs(ph_anscombe(110) - ph_anscombe(100) - 1) < 0.05);
}

static struct ph_direction_p trend_of(const struct ph_series *series)
{
    double scratch[2 * SERIES_MOST_POINTS];
    return ph_trend_p(series, series->sampled, scratch);
}

/* Level until two thirds, then up: from the half on fits best; three starts were tried. */
static void the_best_start_counts_and_all_are_paid_for(void **state)
{
    struct ph_direction_p p = trend_of(SERIES(&fixture, 4, 6, 5, 7, 6, 5, 7, 6, 20, 31, 44, 52));
    expect(p.growth, 3 * 0.000137283183134083);
    assert_true(p.shrink == 1);
}

static void below_twelve_points_two_starts_are_tried(void **state)
{
    struct ph_direction_p p = trend_of(SERIES(&fixture, 5, 8, 14, 18, 25, 27, 33, 41, 44));
    expect(p.growth, 2 * 0.00654218655831325);
}

static void falling_series_shrink(void **state)
{
    struct ph_direction_p up = trend_of(SERIES(&fixture, 5, 8, 14, 18, 25, 27, 33, 41, 44));
    struct ph_direction_p down = trend_of(SERIES(&fixture, 44, 41, 33, 27, 25, 18, 14, 8, 5));
    assert_true(up.growth < 0.02 && down.shrink < 0.02);
    assert_true(down.growth == 1 && up.shrink == 1);
}

/* Ten points in the first second, then one after an hour: what matters is when they were taken. */
static void time_is_what_the_clock_says(void **state)
{
    SERIES(&fixture, 10, 11, 9, 10, 12, 10, 9, 11, 10, 80);
    double even = trend_of(&fixture.series).growth;
    for (size_t i = 0; i < 9; i++)
        fixture.seconds[i] = (double)i / 10;
    fixture.seconds[9] = 3600;
    double late = trend_of(&fixture.series).growth;
    assert_true(even > 1e-3 && late < 1e-5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_knows_how_much_its_points_scatter),
        cmocka_unit_test(a_line_knows_that_neighbours_are_alike),
        cmocka_unit_test(a_line_is_never_surer_than_sampling),
        cmocka_unit_test(a_line_without_width_has_no_slope),
        cmocka_unit_test(alike_neighbours_count_for_less),
        cmocka_unit_test(the_root_of_a_count_has_variance_one),
        cmocka_unit_test(the_best_start_counts_and_all_are_paid_for),
        cmocka_unit_test(below_twelve_points_two_starts_are_tried),
        cmocka_unit_test(falling_series_shrink),
        cmocka_unit_test(time_is_what_the_clock_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
