#include "base/human.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void bytes_get_the_binary_unit_that_fits(void **state)
{
    assert_string_equal(ph_human_bytes(0).text, "0 B");
    assert_string_equal(ph_human_bytes(1023).text, "1023 B");
    assert_string_equal(ph_human_bytes(1024).text, "1.0 KiB");
    assert_string_equal(ph_human_bytes(1536).text, "1.5 KiB");
    assert_string_equal(ph_human_bytes(200 << 20).text, "200.0 MiB");
    assert_string_equal(ph_human_bytes(INT64_MAX).text, "8.0 EiB");
}

static void bytes_never_round_up_to_1024_of_a_unit(void **state)
{
    assert_string_equal(ph_human_bytes((1 << 20) - 1).text, "1.0 MiB");
    assert_string_equal(ph_human_bytes((1 << 20) - 100).text, "1023.9 KiB");
}

static void negative_bytes_keep_their_sign(void **state)
{
    assert_string_equal(ph_human_bytes(-1).text, "-1 B");
    assert_string_equal(ph_human_bytes(-1536).text, "-1.5 KiB");
    assert_string_equal(ph_human_bytes(INT64_MIN).text, "-8.0 EiB");
}

static void sizes_are_exact(void **state)
{
    assert_string_equal(ph_human_size(0).text, "0 B");
    assert_string_equal(ph_human_size(512 << 10).text, "512 KiB");
    assert_string_equal(ph_human_size(1 << 20).text, "1 MiB");
    assert_string_equal(ph_human_size((1 << 20) + 1).text, "1048577 B");
}

static void counts_are_grouped_by_thousands(void **state)
{
    assert_string_equal(ph_human_count(0).text, "0");
    assert_string_equal(ph_human_count(999).text, "999");
    assert_string_equal(ph_human_count(1000).text, "1,000");
    assert_string_equal(ph_human_count(1234567).text, "1,234,567");
    assert_string_equal(ph_human_count(-100000).text, "-100,000");
    assert_string_equal(ph_human_count(INT64_MIN).text, "-9,223,372,036,854,775,808");
}

static void durations_have_two_units_at_most(void **state)
{
    assert_string_equal(ph_human_duration(0.44).text, "0.4s");
    assert_string_equal(ph_human_duration(9.99).text, "9.9s");
    assert_string_equal(ph_human_duration(59.9).text, "59s");
    assert_string_equal(ph_human_duration(62).text, "1m 02s");
    assert_string_equal(ph_human_duration(3599.9).text, "59m 59s");
    assert_string_equal(ph_human_duration(3600).text, "1h 00m");
    assert_string_equal(ph_human_duration(3 * 3600 + 7 * 60 + 59).text, "3h 07m");
    assert_string_equal(ph_human_duration(86400 * 12 + 3600 * 4).text, "12d 04h");
}

static void durations_that_are_none_are_unknown(void **state)
{
    assert_string_equal(ph_human_duration(-1).text, "?");
    assert_string_equal(ph_human_duration(0.0 / 0.0).text, "?");
    assert_string_equal(ph_human_duration(1e300).text, "?");
}

static void times_have_three_digits(void **state)
{
    assert_string_equal(ph_human_time(0).text, "0s");
    assert_string_equal(ph_human_time(850).text, "850ns");
    assert_string_equal(ph_human_time(1000).text, "1.00us");
    assert_string_equal(ph_human_time(12340).text, "12.3us");
    assert_string_equal(ph_human_time(999499).text, "999us");
    assert_string_equal(ph_human_time(999500).text, "1.00ms");
    assert_string_equal(ph_human_time(10 * 1000000).text, "10.0ms");
    assert_string_equal(ph_human_time(999999999).text, "1.00s");
    assert_string_equal(ph_human_time(-1230000000).text, "-1.23s");
    assert_string_equal(ph_human_time(59949999999).text, "59.9s");
    assert_string_equal(ph_human_time(INT64_C(62) * 1000000000).text, "1m 02s");
    assert_string_equal(ph_human_time(INT64_MIN).text, "-106751d 23h");
}

static void percentages_of_nothing_are_left_out(void **state)
{
    assert_string_equal(ph_human_percent(1, 8).text, "12.5%");
    assert_string_equal(ph_human_percent(-1, 8).text, "-12.5%");
    assert_string_equal(ph_human_percent(-1, -8).text, "-12.5%");
    assert_string_equal(ph_human_percent(1, 0).text, "-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_get_the_binary_unit_that_fits),
        cmocka_unit_test(bytes_never_round_up_to_1024_of_a_unit),
        cmocka_unit_test(negative_bytes_keep_their_sign),
        cmocka_unit_test(sizes_are_exact),
        cmocka_unit_test(counts_are_grouped_by_thousands),
        cmocka_unit_test(durations_have_two_units_at_most),
        cmocka_unit_test(durations_that_are_none_are_unknown),
        cmocka_unit_test(times_have_three_digits),
        cmocka_unit_test(percentages_of_nothing_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
