#include "grown.h"
#include "growth/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <float.h>

static void add(struct ph_history *history, uint32_t site, double value)
{
    struct ph_point point = {{value, value, value, value}, (float)value, (float)value};
    assert_int_equal(ph_history_reserve(history, site + 1), 0);
    ph_history_add(history, site, &point);
}

static void close_with(struct ph_history *history, uint32_t site, double value)
{
    add(history, site, value);
    assert_int_equal(ph_history_close(history), 0);
}

static void expect_values(const struct ph_history *history, uint32_t site, const double *expected)
{
    struct ph_point points[16];
    ph_history_read(history, site, points);
    for (uint32_t i = 0; i < history->profile_count; i++) {
        assert_true(points[i].values[PH_HEAP_INUSE_SPACE] == expected[i]);
        assert_true((double)points[i].sampled == expected[i]);
    }
}

static void every_profile_is_read_back(void **state)
{
    struct ph_history history = PH_HISTORY_INIT;
    close_with(&history, 0, 5);
    add(&history, 0, 5);
    close_with(&history, 2, 7); /* sites come later, too */
    close_with(&history, 2, 8);
    close_with(&history, 0, 5);
    expect_values(&history, 0, (const double[]){5, 5, 0, 5});
    expect_values(&history, 1, (const double[]){0, 0, 0, 0});
    expect_values(&history, 2, (const double[]){0, 7, 8, 0});
    expect_values(&history, 99, (const double[]){0, 0, 0, 0}); /* a site that no profile has */
    ph_history_fini(&history);
}

static void what_does_not_change_takes_no_room(void **state)
{
    struct ph_history history = PH_HISTORY_INIT;
    for (int profile = 0; profile < 10; profile++) {
        add(&history, 0, profile);
        for (uint32_t site = 1; site < 100; site++)
            add(&history, site, 3);
        assert_int_equal(ph_history_close(&history), 0);
    }
    assert_int_equal(history.entry_count, 99 + 9); /* site 0 begins with nothing */
    expect_values(&history, 50, (const double[]){3, 3, 3, 3, 3, 3, 3, 3, 3, 3});
    ph_history_fini(&history);
}

static void samples_of_one_site_add_up(void **state)
{
    struct ph_history history = PH_HISTORY_INIT;
    add(&history, 0, 5);
    close_with(&history, 0, 6);
    expect_values(&history, 0, (const double[]){11});
    ph_history_fini(&history);
}

static void an_abandoned_profile_leaves_no_trace(void **state)
{
    struct ph_history history = PH_HISTORY_INIT;
    add(&history, 0, 5);
    ph_history_abandon(&history);
    close_with(&history, 0, 1);
    expect_values(&history, 0, (const double[]){1});
    ph_history_fini(&history);
}

static void huge_variances_stay_finite(void **state)
{
    struct ph_history history = PH_HISTORY_INIT;
    struct ph_point points[1];
    add(&history, 0, (double)FLT_MAX);
    close_with(&history, 0, (double)FLT_MAX);
    ph_history_read(&history, 0, points);
    assert_true(points[0].variance == FLT_MAX);
    ph_history_fini(&history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_profile_is_read_back), cmocka_unit_test(what_does_not_change_takes_no_room),
        cmocka_unit_test(samples_of_one_site_add_up), cmocka_unit_test(an_abandoned_profile_leaves_no_trace),
        cmocka_unit_test(huge_variances_stay_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
