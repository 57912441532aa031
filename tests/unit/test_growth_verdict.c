#include "growth/ends.h"
#include "growth/trend.h"
#include "growth/verdict.h"
#include "series_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

#define MIB 1048576.0

static struct series_fixture fixture;
static struct ph_gates gates;

static int setup(void **state)
{
    gates =
        (struct ph_gates){.min_change = MIB, .min_share = 0.02, .total_growth = 0, .false_discovery_rate = 0.05};
    return 0;
}

/* As one stack among a hundred alike. */
static struct ph_verdict verdict_of(const struct ph_series *series)
{
    struct ph_verdict verdict;
    assert_int_equal(ph_verdict_test(series, &verdict), 0);
    verdict.q = fmin(1, 100 * ph_verdict_p(&verdict));
    assert_int_equal(ph_verdict_label(series, &gates, &verdict), 0);
    return verdict;
}

static void expect_label(const struct ph_series *series, enum ph_growth_label label)
{
    enum ph_growth_label is = verdict_of(series).label;
    if (is != label)
        fail_msg("%s, expected %s", ph_growth_label_name(is), ph_growth_label_name(label));
}

static void every_label_has_a_name(void **state)
{
    for (size_t label = 0; label < PH_GROWTH_LABEL_COUNT; label++)
        assert_non_null(ph_growth_label_name((enum ph_growth_label)label));
    assert_string_equal(ph_growth_label_name(PH_GROWTH_INSUFFICIENT), "insufficient samples");
}

static void change_and_interval_are_those_of_the_ends(void **state)
{
    struct ph_verdict verdict = verdict_of(SERIES(&fixture, 36, 64));
    assert_true(verdict.change == 14 * MIB);
    assert_true(fabs(verdict.low - (14 - 1.96 * 5) * MIB) < 1 && fabs(verdict.high - (14 + 1.96 * 5) * MIB) < 1);
}

static void from_eight_points_on_two_looks_are_taken_and_paid(void **state)
{
    double scratch[2 * SERIES_MOST_POINTS];
    const struct ph_series *series = SERIES(&fixture, 5, 8, 14, 18, 25, 27, 33, 41, 44);
    struct ph_verdict verdict = verdict_of(series);
    double ends = ph_ends_p(series).growth, trend = ph_trend_p(series, fixture.sampled, scratch).growth;
    assert_true(fabs(verdict.growth_p - 2 * fmin(ends, trend)) < 1e-15);
    verdict = verdict_of(SERIES(&fixture, 5, 8, 14, 18, 25, 27, 44));
    assert_true(verdict.growth_p == ph_ends_p(&fixture.series).growth);
}

static void both_directions_are_asked(void **state)
{
    struct ph_verdict verdict = {.growth_p = 0.01, .shrink_p = 0.99};
    assert_true(ph_verdict_p(&verdict) == 0.02);
    verdict = (struct ph_verdict){.growth_p = 0.7, .shrink_p = 0.6};
    assert_true(ph_verdict_p(&verdict) == 1);
}

static void two_profiles_tell_growth_and_no_more(void **state)
{
    struct ph_verdict verdict = verdict_of(SERIES(&fixture, 20, 100));
    assert_int_equal(verdict.label, PH_GROWTH_GROWING);
    assert_false(verdict.has_onset);
    assert_true(verdict.rate_per_second == 40 * MIB);
    expect_label(SERIES(&fixture, 100, 20), PH_GROWTH_SHRINKING);
    expect_label(SERIES(&fixture, 95, 100), PH_GROWTH_NOISE);
}

static void too_few_samples_are_said_to_be_too_few(void **state)
{
    expect_label(SERIES(&fixture, 0, 9), PH_GROWTH_INSUFFICIENT);
    expect_label(SERIES(&fixture, 0, 25), PH_GROWTH_GROWING);
    expect_label(SERIES(&fixture, 9, 0), PH_GROWTH_INSUFFICIENT);
    expect_label(SERIES(&fixture, 0, 1), PH_GROWTH_NOISE); /* half a MiB: not worth a line */
    expect_label(SERIES(&fixture, 500, 510), PH_GROWTH_NOISE);
}

static void what_is_small_beside_the_growth_of_others_is_not_told(void **state)
{
    gates.total_growth = 41 * MIB / 0.02;
    expect_label(SERIES(&fixture, 20, 100), PH_GROWTH_NOISE);
    gates.total_growth = 39 * MIB / 0.02;
    expect_label(SERIES(&fixture, 20, 100), PH_GROWTH_GROWING);
    gates.min_change = 41 * MIB;
    expect_label(SERIES(&fixture, 20, 100), PH_GROWTH_NOISE);
}

static void three_profiles_tell_a_leak_from_a_step(void **state)
{
    expect_label(SERIES(&fixture, 20, 60, 100), PH_GROWTH_GROWING);
    expect_label(SERIES(&fixture, 20, 100, 100), PH_GROWTH_STEP);
    expect_label(SERIES(&fixture, 100, 60, 20), PH_GROWTH_SHRINKING);
    expect_label(SERIES(&fixture, 20, 22, 21), PH_GROWTH_NOISE);
}

static void a_leak_that_begins_later_has_an_onset_and_a_rate(void **state)
{
    double counts[40];
    for (int i = 0; i < 40; i++)
        counts[i] = (i < 20 ? 50 : 50 + 10 * (i - 20)) + (i % 2 ? 3 : -3);
    struct ph_verdict verdict = verdict_of(series_make(&fixture, counts, 40));
    assert_int_equal(verdict.label, PH_GROWTH_GROWING);
    assert_true(verdict.has_onset);
    assert_true(fabs(verdict.onset_seconds - 20) < 1);
    assert_true(verdict.onset_low <= 20 && 20 <= verdict.onset_high);
    assert_in_range(verdict.onset_index, 19, 20);
    assert_true(fabs(verdict.rate_per_second / (5 * MIB) - 1) < 0.1); /* 10 samples of half a MiB */
}

static void a_step_has_an_onset_between_two_profiles(void **state)
{
    double counts[40];
    for (int i = 0; i < 40; i++)
        counts[i] = (i < 13 ? 50 : 200) + (i % 2 ? 3 : -3);
    struct ph_verdict verdict = verdict_of(series_make(&fixture, counts, 40));
    assert_int_equal(verdict.label, PH_GROWTH_STEP);
    assert_int_equal(verdict.onset_index, 12);
    assert_true(fabs(verdict.onset_seconds - 12.5) < 1e-9);
    assert_true(fabs(verdict.onset_low - 12) < 1e-9 && fabs(verdict.onset_high - 13) < 1e-9);
}

static void a_cache_that_has_filled_is_a_plateau(void **state)
{
    double counts[40];
    for (int i = 0; i < 40; i++)
        counts[i] = floor(300 * (1 - exp(-i / 6.0))) + (i % 2 ? 3 : -3);
    counts[0] = 0;
    expect_label(series_make(&fixture, counts, 40), PH_GROWTH_PLATEAU);
}

static void a_cache_that_is_far_from_full_still_grows(void **state)
{
    double counts[40];
    for (int i = 0; i < 40; i++)
        counts[i] = floor(300 * (1 - exp(-i / 60.0))) + (i % 2 ? 3 : -3);
    counts[0] = 0;
    expect_label(series_make(&fixture, counts, 40), PH_GROWTH_GROWING);
}

static void a_day_and_a_half_of_load_is_noise(void **state)
{
    double counts[40];
    for (int i = 0; i < 40; i++)
        counts[i] = floor(300 - 150 * cos(3 * M_PI * i / 39));
    struct ph_verdict verdict = verdict_of(series_make(&fixture, counts, 40));
    assert_true(verdict.q < 0.05); /* the ends do differ */
    assert_int_equal(verdict.label, PH_GROWTH_NOISE);
}

/* A million objects that all were counted scatter by 1 % and not by chance; a tenth of a percent is no growth. */
static void scatter_beyond_sampling_is_seen(void **state)
{
    double counts[40];
    for (int i = 0; i < 40; i++)
        counts[i] = 1e6 + 1e4 * sin(7.0 * i * i) + (i > 31 ? 4e3 : 0);
    struct ph_verdict verdict = verdict_of(series_make(&fixture, counts, 40));
    assert_true(verdict.label == PH_GROWTH_NOISE);
}

static void values_at_several_rates_can_be_judged(void **state)
{
    double counts[40];
    for (int i = 0; i < 40; i++)
        counts[i] = 50 + 5 * i;
    series_make(&fixture, counts, 40);
    fixture.series.is_same_rate = false;
    for (int i = 0; i < 40; i += 2)
        fixture.sampled[i] *= 8; /* the same bytes, sampled finer */
    struct ph_verdict verdict = verdict_of(&fixture.series);
    assert_int_equal(verdict.label, PH_GROWTH_GROWING);
    for (int i = 0; i < 40; i++) {
        fixture.value[i] = 100 * SERIES_RATE_BYTES;
        fixture.sampled[i] = i < 20 ? 100 : 800;
    }
    expect_label(&fixture.series, PH_GROWTH_NOISE);
}

static void an_empty_series_is_noise(void **state)
{
    expect_label(SERIES(&fixture, 0, 0), PH_GROWTH_NOISE);
    expect_label(SERIES(&fixture, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), PH_GROWTH_NOISE);
    gates.min_change = 0;
    expect_label(SERIES(&fixture, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), PH_GROWTH_NOISE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_label_has_a_name, setup),
        cmocka_unit_test_setup(change_and_interval_are_those_of_the_ends, setup),
        cmocka_unit_test_setup(from_eight_points_on_two_looks_are_taken_and_paid, setup),
        cmocka_unit_test_setup(both_directions_are_asked, setup),
        cmocka_unit_test_setup(two_profiles_tell_growth_and_no_more, setup),
        cmocka_unit_test_setup(too_few_samples_are_said_to_be_too_few, setup),
        cmocka_unit_test_setup(what_is_small_beside_the_growth_of_others_is_not_told, setup),
        cmocka_unit_test_setup(three_profiles_tell_a_leak_from_a_step, setup),
        cmocka_unit_test_setup(a_leak_that_begins_later_has_an_onset_and_a_rate, setup),
        cmocka_unit_test_setup(a_step_has_an_onset_between_two_profiles, setup),
        cmocka_unit_test_setup(a_cache_that_has_filled_is_a_plateau, setup),
        cmocka_unit_test_setup(a_cache_that_is_far_from_full_still_grows, setup),
        cmocka_unit_test_setup(a_day_and_a_half_of_load_is_noise, setup),
        cmocka_unit_test_setup(scatter_beyond_sampling_is_seen, setup),
        cmocka_unit_test_setup(values_at_several_rates_can_be_judged, setup),
        cmocka_unit_test_setup(an_empty_series_is_noise, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
