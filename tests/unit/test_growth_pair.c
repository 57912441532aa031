#include "growth/pair.h"
#include "series_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

static struct series_fixture fixture;

static void expect(double is, double should_be)
{
    assert_true(fabs(is - should_be) <= 1e-9 * should_be);
}

/* By hand: heads of a fair coin. 3 against 7: (120 + 45 + 10 + 1) / 1024; the other way round 968 / 1024. */
static void counts_are_judged_by_the_exact_binomial(void **state)
{
    struct ph_direction_p p = ph_counts_p(3, 7);
    expect(p.growth, 176.0 / 1024);
    expect(p.shrink, 968.0 / 1024);
    p = ph_counts_p(7, 3);
    expect(p.growth, 968.0 / 1024);
    expect(p.shrink, 176.0 / 1024);
    p = ph_counts_p(0, 0);
    assert_true(p.growth == 1 && p.shrink == 1);
}

static void from_nothing_it_takes_fourteen_samples(void **state)
{
    assert_true(ph_counts_p(0, 13).growth > 1e-4);
    assert_true(ph_counts_p(0, 14).growth < 1e-4);
    expect(ph_counts_p(0, 14).growth, ldexp(1, -14));
    expect(ph_counts_p(14, 0).shrink, ldexp(1, -14));
}

static void changes_are_judged_by_the_normal_tail(void **state)
{
    struct ph_direction_p p = ph_change_p(10, 4); /* 5 sigma */
    expect(p.growth, 2.8665157187919391e-7);
    expect(p.shrink, 1 - 2.8665157187919391e-7);
    p = ph_change_p(10, 0);
    assert_true(p.growth == 1 && p.shrink == 1);
}

static void turnover_is_a_relative_error_of_one_by_root_n(void **state)
{
    expect(ph_turnover_variance(500, 25), 100 * 100);
    assert_true(ph_turnover_variance(500, 0) == 0);
}

static void variances_of_both_points_add_up(void **state)
{
    double variance, unit = SERIES_RATE_BYTES;
    expect(ph_series_change(SERIES(&fixture, 20, 9, 50), &variance), 30 * unit);
    expect(variance, 70 * unit * unit);
}

static void churn_makes_a_change_surer_and_never_less_sure(void **state)
{
    double variance, unit = SERIES_RATE_BYTES;
    SERIES(&fixture, 2000, 2030);
    fixture.series.churn_variance = 50 * unit * unit;
    expect(ph_series_change(&fixture.series, &variance), 30 * unit);
    expect(variance, 50 * unit * unit);
    fixture.series.churn_variance = 9000 * unit * unit;
    ph_series_change(&fixture.series, &variance);
    expect(variance, 4030 * unit * unit);
}

/* 30 more among 4,000 is nothing; 40 that came against 10 that went is something. */
static void survivors_do_not_hide_growth(void **state)
{
    double unit = SERIES_RATE_BYTES;
    SERIES(&fixture, 2000, 2030);
    assert_true(ph_pair_p(&fixture.series).growth > 0.3);
    fixture.series.churn_variance = 50 * unit * unit;
    expect(ph_pair_p(&fixture.series).growth, ph_counts_p(10, 40).growth);
    fixture.series.churn_variance = 9000 * unit * unit;
    expect(ph_pair_p(&fixture.series).growth, ph_counts_p(2000, 2030).growth);
}

static void a_stack_that_nothing_happened_to_did_not_grow(void **state)
{
    SERIES(&fixture, 50, 50);
    fixture.series.churn_variance = 0;
    assert_true(ph_pair_p(&fixture.series).growth == 1);
    SERIES(&fixture, 0, 0);
    fixture.series.churn_variance = 0;
    assert_true(ph_pair_p(&fixture.series).growth == 1);
}

static void what_can_not_have_been_freed_is_not_counted(void **state)
{
    SERIES(&fixture, 0, 20);
    fixture.series.churn_variance = 19.5 * SERIES_RATE_BYTES * SERIES_RATE_BYTES;
    expect(ph_pair_p(&fixture.series).growth, ldexp(1, -20));
}

/* The same value, 100 samples at the coarse rate and 400 at a fine one: no growth, whatever the counts say. */
static void of_different_rates_values_are_compared(void **state)
{
    SERIES(&fixture, 100, 400);
    fixture.value[1] = fixture.value[0];
    fixture.series.is_same_rate = false;
    expect(ph_pair_p(&fixture.series).growth, 0.5);
    fixture.value[1] = 2 * fixture.value[0];
    /* 100 +- 10 against 200 +- 10: 7.07 sigma. */
    expect(ph_pair_p(&fixture.series).growth, erfc(100 / sqrt(200) * M_SQRT1_2) / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_judged_by_the_exact_binomial),
        cmocka_unit_test(from_nothing_it_takes_fourteen_samples),
        cmocka_unit_test(changes_are_judged_by_the_normal_tail),
        cmocka_unit_test(turnover_is_a_relative_error_of_one_by_root_n),
        cmocka_unit_test(variances_of_both_points_add_up),
        cmocka_unit_test(churn_makes_a_change_surer_and_never_less_sure),
        cmocka_unit_test(survivors_do_not_hide_growth),
        cmocka_unit_test(a_stack_that_nothing_happened_to_did_not_grow),
        cmocka_unit_test(what_can_not_have_been_freed_is_not_counted),
        cmocka_unit_test(of_different_rates_values_are_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
