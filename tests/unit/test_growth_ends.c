#include "growth/ends.h"
#include "series_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

static struct series_fixture fixture;

static void expect_same(struct ph_direction_p is, struct ph_direction_p should_be)
{
    assert_true(fabs(is.growth - should_be.growth) <= 1e-12 * should_be.growth);
    assert_true(fabs(is.shrink - should_be.shrink) <= 1e-12 * should_be.shrink);
}

static void up_to_nine_points_the_first_meets_the_last(void **state)
{
    expect_same(ph_ends_p(SERIES(&fixture, 8, 1000, 20)), ph_counts_p(8, 20));
    expect_same(ph_ends_p(SERIES(&fixture, 8, 0, 0, 0, 0, 0, 0, 0, 20)), ph_counts_p(8, 20));
}

/* A fifth of ten points is two: means of 5 and 30, judged as single counts. */
static void a_fifth_of_the_points_at_either_end_is_averaged(void **state)
{
    expect_same(ph_ends_p(SERIES(&fixture, 4, 6, 0, 0, 0, 0, 0, 0, 25, 35)), ph_counts_p(5, 30));
}

static void two_points_know_of_churn(void **state)
{
    SERIES(&fixture, 2000, 2030);
    fixture.series.churn_variance = 50 * SERIES_RATE_BYTES * SERIES_RATE_BYTES;
    expect_same(ph_ends_p(&fixture.series), ph_counts_p(10, 40));
}

static void of_different_rates_mean_values_are_compared(void **state)
{
    SERIES(&fixture, 100, 50, 400);
    fixture.value[2] = 2 * fixture.value[0];
    fixture.series.is_same_rate = false;
    double unit = SERIES_RATE_BYTES;
    expect_same(ph_ends_p(&fixture.series), ph_change_p(100 * unit, 200 * unit * unit));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(up_to_nine_points_the_first_meets_the_last),
        cmocka_unit_test(a_fifth_of_the_points_at_either_end_is_averaged),
        cmocka_unit_test(two_points_know_of_churn),
        cmocka_unit_test(of_different_rates_mean_values_are_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
