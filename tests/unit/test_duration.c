#include "tools/duration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>

#define S INT64_C(1000000000)

static const struct {
    const char *text;
    int64_t ns;
} rows[] = {
    {"0s", 0},        {"500ms", S / 2},  {"10s", 10 * S},           {"2m", 120 * S},
    {"1h", 3600 * S}, {"1d", 86400 * S}, {"1h30m", 5400 * S},       {"1m500ms", 60 * S + S / 2},
    {"90s", 90 * S},  {"2m3s", 123 * S}, {"366d", 366 * 86400 * S}, {"1d2h3m4s5ms", 93784 * S + S / 200},
};

static void numbers_with_units_add_up(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t ns = -1;
        assert_int_equal(ph_parse_duration(rows[i].text, &ns), 0);
        assert_int_equal(ns, rows[i].ns);
    }
}

static void what_was_parsed_is_written_so_that_it_parses_to_the_same(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t ns = -1;
        assert_int_equal(ph_parse_duration(ph_duration_text(rows[i].ns).text, &ns), 0);
        assert_int_equal(ns, rows[i].ns);
    }
    assert_string_equal(ph_duration_text(90 * S).text, "1m30s");
    assert_string_equal(ph_duration_text(S / 2).text, "500ms");
    assert_string_equal(ph_duration_text(0).text, "0s");
}

static void anything_else_is_refused(void **state)
{
    static const char *const texts[] = {"",    "10",  "s",    "10 s", "s10",  "1.5s", "-1s",
                                        "10x", "10S", "1s1h", "1s2s", "10s ", " 10s", "1mm"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        int64_t ns = 7;
        assert_int_equal(ph_parse_duration(texts[i], &ns), -EINVAL);
        assert_int_equal(ns, 7);
    }
}

static void more_than_a_year_is_refused(void **state)
{
    static const char *const texts[] = {"367d", "366d1ms", "9223372036854775807s", "18446744073709551616s",
                                        "99999999999999999999999ms"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        int64_t ns = 7;
        assert_int_equal(ph_parse_duration(texts[i], &ns), -ERANGE);
        assert_int_equal(ns, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_with_units_add_up),
        cmocka_unit_test(what_was_parsed_is_written_so_that_it_parses_to_the_same),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(more_than_a_year_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
