#include "model/scale.h"
#include "rich.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

static void rounding_goes_half_away_from_zero_and_stops_at_the_ends(void **state)
{
    assert_int_equal(ph_round_saturating(0.49), 0);
    assert_int_equal(ph_round_saturating(0.5), 1);
    assert_int_equal(ph_round_saturating(-0.5), -1);
    assert_int_equal(ph_round_saturating(-2.5), -3);
    assert_true(ph_round_saturating(0x1p62) == INT64_C(1) << 62);
    assert_true(ph_round_saturating(0x1p63) == INT64_MAX);
    assert_true(ph_round_saturating(-0x1p63) == INT64_MIN);
    assert_true(ph_round_saturating(INFINITY) == INT64_MAX);
    assert_true(ph_round_saturating(-INFINITY) == INT64_MIN);
    assert_int_equal(ph_round_saturating(NAN), 0);
}

static struct ph_profile *with_values(int64_t first, int64_t second)
{
    struct ph_profile *profile = ph_profile_new();
    ph_profile_add_type(profile, "space", "bytes");
    rich_add(profile, (const char *const[]){"first", NULL}, first);
    rich_add(profile, (const char *const[]){"second", NULL}, second);
    return profile;
}

static void scaling_multiplies_every_value(void **state)
{
    struct ph_profile *profile = with_values(3, -5);
    ph_profile_scale(profile, 0.5);
    assert_int_equal(ph_profile_values(profile, 0)[0], 2);
    assert_int_equal(ph_profile_values(profile, 1)[0], -3);
    ph_profile_scale(profile, 1e30);
    assert_true(ph_profile_values(profile, 0)[0] == INT64_MAX);
    assert_true(ph_profile_values(profile, 1)[0] == INT64_MIN);
    ph_profile_free(profile);
}

static void expect_in_bytes(const char *unit, int64_t expected, const char *unit_then)
{
    struct ph_profile *profile = ph_profile_new();
    const int64_t values[] = {7, 3, -2};
    ph_profile_add_type(profile, "objects", "count");
    ph_profile_add_type(profile, "space", unit);
    ph_profile_add_type(profile, "other", unit);
    ph_profile_add_sample(profile, NULL, 0, NULL, 0, values);
    profile->period_type.unit = ph_profile_string(profile, unit);
    profile->period = 1;
    ph_profile_scale_to_bytes(profile);
    assert_int_equal(ph_profile_status(profile), 0);
    assert_int_equal(ph_profile_values(profile, 0)[0], 7);
    assert_int_equal(ph_profile_values(profile, 0)[1], 3 * expected);
    assert_int_equal(ph_profile_values(profile, 0)[2], -2 * expected);
    assert_int_equal(profile->period, expected);
    for (int i = 1; i < 3; i++)
        assert_string_equal(ph_profile_text(profile, profile->types[i].unit), unit_then);
    assert_string_equal(ph_profile_text(profile, profile->period_type.unit), unit_then);
    ph_profile_free(profile);
}

static void units_of_memory_become_bytes_and_no_others(void **state)
{
    static const char *const same[] = {"bytes", "byte", "B", "Bytes"};
    static const char *const kilo[] = {"kilobytes", "kilobyte", "KB", "kB", "kbytes", "KiB", "kbs"};
    static const char *const other[] = {"count", "", "nanoseconds", "k", "ms", "megabit", "kilobytes/s", "bs1"};
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        expect_in_bytes(same[i], 1, "bytes");
    for (size_t i = 0; i < sizeof(kilo) / sizeof(kilo[0]); i++)
        expect_in_bytes(kilo[i], 1024, "bytes");
    expect_in_bytes("megabytes", 1 << 20, "bytes");
    expect_in_bytes("MiB", 1 << 20, "bytes");
    expect_in_bytes("gigabytes", 1 << 30, "bytes");
    expect_in_bytes("TB", INT64_C(1) << 40, "bytes");
    expect_in_bytes("petabytes", INT64_C(1) << 50, "bytes");
    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
        expect_in_bytes(other[i], 1, other[i]);
}

static void negating_is_exact(void **state)
{
    struct ph_profile *profile = with_values(INT64_MAX, INT64_MIN);
    ph_profile_negate(profile);
    assert_true(ph_profile_values(profile, 0)[0] == -INT64_MAX);
    assert_true(ph_profile_values(profile, 1)[0] == INT64_MAX);
    ph_profile_negate(profile);
    assert_true(ph_profile_values(profile, 0)[0] == INT64_MAX);
    ph_profile_free(profile);
}

static void profiles_without_samples_are_left_alone(void **state)
{
    struct ph_profile *profile = ph_profile_new();
    ph_profile_scale(profile, 2);
    ph_profile_negate(profile);
    assert_int_equal(ph_profile_status(profile), 0);
    ph_profile_free(profile);
}

static void expect_factor(double count, double bytes, double rate_bytes, double factor)
{
    assert_true(fabs(ph_unbias(count, bytes, rate_bytes) - factor) < 1e-9 * factor);
}

/* By hand: 1 / (1 - exp(-size / rate)). */
static void a_sampled_object_stands_for_more_the_smaller_it_is(void **state)
{
    expect_factor(10, 10 * 524288, 524288, 1.5819767068693265); /* 1 / (1 - 1/e) */
    expect_factor(1, 524288 / 2, 524288, 2.5414940825367984);
    expect_factor(7, 7 * 2 * 524288, 524288, 1.1565176427496657);
    expect_factor(1, 64, 524288, 8192.500010172526); /* rate / size + 1/2 + size / rate / 12 */
    expect_factor(1, 1e9, 1024, 1);
    expect_factor(-10, -10 * 524288, 524288, 1.5819767068693265); /* of a delta */
}

static void what_has_no_mean_size_or_rate_is_left_as_it_is(void **state)
{
    static const double rows[][3] = {{0, 0, 1024},  {0, 100, 1024}, {5, 0, 1024}, {-5, 100, 1024},
                                     {5, -5, 1024}, {1, 64, 1},     {1, 64, 0},   {1, 64, -1024}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_true(ph_unbias(rows[i][0], rows[i][1], rows[i][2]) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounding_goes_half_away_from_zero_and_stops_at_the_ends),
        cmocka_unit_test(scaling_multiplies_every_value),
        cmocka_unit_test(units_of_memory_become_bytes_and_no_others),
        cmocka_unit_test(negating_is_exact),
        cmocka_unit_test(profiles_without_samples_are_left_alone),
        cmocka_unit_test(a_sampled_object_stands_for_more_the_smaller_it_is),
        cmocka_unit_test(what_has_no_mean_size_or_rate_is_left_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
