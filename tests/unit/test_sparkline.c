#include "tools/sparkline.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void expect(const double *values, size_t count, size_t cell_max, bool has_utf8, const char *expected)
{
    struct ph_buf out = PH_BUF_INIT;
    ph_sparkline(values, count, cell_max, has_utf8, &out);
    assert_int_equal(ph_buf_status(&out), 0);
    assert_string_equal(out.data ? out.data : "", expected);
    ph_buf_fini(&out);
}

static void the_smallest_is_low_and_the_largest_high(void **state)
{
    const double values[] = {1, 2, 3, 4, 5, 6, 7, 8};
    expect(values, 8, 40, true, "▁▂▃▄▅▆▇█");
    expect(values, 8, 40, false, "_.:-=+*#");
}

static void the_scale_is_that_of_the_series(void **state)
{
    const double values[] = {1e9, 1e9 + 7, 1e9}, negative[] = {-3, -10, -3};
    expect(values, 3, 40, false, "_#_");
    expect(negative, 3, 40, false, "#_#");
}

static void what_does_not_change_is_low(void **state)
{
    const double values[] = {5, 5, 5};
    expect(values, 3, 40, true, "▁▁▁");
}

static void a_long_series_is_averaged(void **state)
{
    const double values[] = {0, 2, 10, 12, 20, 22, 30, 32, 40, 42};
    expect(values, 10, 5, false, "_:=*#");
    expect(values, 10, 1, false, "_");
}

static void gaps_are_blanks(void **state)
{
    const double values[] = {1, NAN, 2}, nothing[] = {NAN};
    expect(values, 3, 40, false, "_ #");
    expect(nothing, 1, 40, false, " ");
    expect(NULL, 0, 40, false, "");
}

static void infinite_values_do_no_harm(void **state)
{
    const double values[] = {-INFINITY, 0, INFINITY};
    struct ph_buf out = PH_BUF_INIT;
    ph_sparkline(values, 3, 40, false, &out);
    assert_int_equal(out.size_bytes, 3);
    ph_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_is_low_and_the_largest_high),
        cmocka_unit_test(the_scale_is_that_of_the_series),
        cmocka_unit_test(what_does_not_change_is_low),
        cmocka_unit_test(a_long_series_is_averaged),
        cmocka_unit_test(gaps_are_blanks),
        cmocka_unit_test(infinite_values_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
