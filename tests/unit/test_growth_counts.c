#include "growth/counts.h"
#include "series_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

static struct series_fixture fixture;

static void at_one_rate_counts_are_what_was_sampled(void **state)
{
    double counts[3];
    SERIES(&fixture, 3, 0, 7.5);
    fixture.value[2] = 1; /* not asked for */
    ph_series_counts(&fixture.series, counts);
    assert_true(counts[0] == 3 && counts[1] == 0 && counts[2] == 7.5);
}

static void at_several_rates_they_are_in_units_of_the_coarsest(void **state)
{
    double counts[3];
    SERIES(&fixture, 100, 100, 0);
    fixture.value[0] = 100 * 1000;
    fixture.value[1] = 100 * 250;
    fixture.series.is_same_rate = false;
    ph_series_counts(&fixture.series, counts);
    assert_true(counts[0] == 100 && counts[1] == 25 && counts[2] == 0);
}

static void without_samples_they_are_zero(void **state)
{
    double counts[2];
    SERIES(&fixture, 0, -4);
    ph_series_counts(&fixture.series, counts);
    assert_true(counts[0] == 0 && counts[1] == 0);
    fixture.series.is_same_rate = false;
    ph_series_counts(&fixture.series, counts);
    assert_true(counts[0] == 0 && counts[1] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_one_rate_counts_are_what_was_sampled),
        cmocka_unit_test(at_several_rates_they_are_in_units_of_the_coarsest),
        cmocka_unit_test(without_samples_they_are_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
