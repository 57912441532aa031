#include "growth/late.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

static double slope_of(const double *y, size_t count)
{
    double seconds[64];
    for (size_t i = 0; i < count; i++)
        seconds[i] = 10 * (double)i;
    return ph_late_slope(seconds, y, count);
}

static void the_last_third_tells_the_slope(void **state)
{
    double y[30];
    for (size_t i = 0; i < 30; i++)
        y[i] = i < 20 ? 1000.0 - (double)i : 3 * (double)i;
    assert_true(fabs(slope_of(y, 30) - 0.3) < 1e-12);
}

static void of_few_points_half_of_them_do(void **state)
{
    static const double y[] = {50, 40, 1, 3, 5, 7};
    assert_true(fabs(slope_of(y, 3) - (1.0 - 40) / 10) < 1e-12); /* of three points the last two */
    assert_true(fabs(slope_of(y + 1, 5) - 0.2) < 1e-12);         /* of five the last three */
    double long_one[16] = {0};
    for (size_t i = 8; i < 16; i++)
        long_one[i] = (double)i;
    assert_true(fabs(slope_of(long_one, 16) - 0.1) < 1e-12); /* of sixteen the last eight */
}

static void a_leak_keeps_its_gain(void **state)
{
    static const double steady[] = {20, 31, 38, 55, 58, 71, 83, 90, 101};
    static const double noisy[] = {20, 41, 32, 60, 47, 75, 69, 95, 88};
    assert_true(ph_gain_is_kept(steady, 9));
    assert_true(ph_gain_is_kept(noisy, 9));
    assert_false(ph_gain_is_swing(steady, 9));
}

static void what_falls_by_half_of_its_gain_is_not_kept(void **state)
{
    static const double counts[] = {100, 400, 700, 1000, 800, 600, 550, 550, 560};
    assert_false(ph_gain_is_kept(counts, 9));
    assert_false(ph_gain_is_swing(counts, 9)); /* but more than half of it stays */
}

/* Begins in a valley, ends on a peak, a day and a half later. */
static void a_day_that_ends_on_its_peak_is_a_swing(void **state)
{
    double day[30], half[30];
    for (size_t i = 0; i < 30; i++) {
        day[i] = 200 - 100 * cos(3 * M_PI * (double)i / 29);
        half[i] = 200 - 100 * cos(M_PI * (double)i / 29);
    }
    assert_false(ph_gain_is_kept(day, 30));
    assert_true(ph_gain_is_swing(day, 30));
    /* Of less than a day it cannot be known. */
    assert_true(ph_gain_is_kept(half, 30));
    assert_false(ph_gain_is_swing(half, 30));
}

static void without_gain_there_is_nothing_to_keep(void **state)
{
    static const double level[] = {5, 5, 5, 5}, falling[] = {9, 7, 5, 3};
    assert_false(ph_gain_is_kept(level, 4));
    assert_false(ph_gain_is_kept(falling, 4));
    assert_true(ph_gain_is_swing(falling, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_third_tells_the_slope),
        cmocka_unit_test(of_few_points_half_of_them_do),
        cmocka_unit_test(a_leak_keeps_its_gain),
        cmocka_unit_test(what_falls_by_half_of_its_gain_is_not_kept),
        cmocka_unit_test(a_day_that_ends_on_its_peak_is_a_swing),
        cmocka_unit_test(without_gain_there_is_nothing_to_keep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
