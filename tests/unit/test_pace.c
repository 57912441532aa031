#include "tools/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void the_first_tick_is_at_once(void **state)
{
    assert_int_equal(ph_pace_start(1000, 100).due_ns, 1000);
}

static void ticks_do_not_drift_with_the_work_between_them(void **state)
{
    struct ph_pace pace = ph_pace_start(1000, 100);
    for (int i = 1; i <= 1000; i++) {
        assert_int_equal(ph_pace_advance(&pace, pace.due_ns + 7 + i % 90), 0);
        assert_int_equal(pace.due_ns, 1000 + 100 * i);
    }
}

static void ticks_that_work_runs_over_are_left_out(void **state)
{
    struct ph_pace pace = ph_pace_start(1000, 100);
    assert_int_equal(ph_pace_advance(&pace, 1350), 3);
    assert_int_equal(pace.due_ns, 1400);
    assert_int_equal(ph_pace_advance(&pace, 1401), 0);
    assert_int_equal(pace.due_ns, 1500);
}

static void a_tick_that_is_due_right_now_is_not_left_out(void **state)
{
    struct ph_pace pace = ph_pace_start(1000, 100);
    assert_int_equal(ph_pace_advance(&pace, 1100), 0);
    assert_int_equal(pace.due_ns, 1100);
    assert_int_equal(ph_pace_advance(&pace, 1300), 1);
    assert_int_equal(pace.due_ns, 1300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_tick_is_at_once),
        cmocka_unit_test(ticks_do_not_drift_with_the_work_between_them),
        cmocka_unit_test(ticks_that_work_runs_over_are_left_out),
        cmocka_unit_test(a_tick_that_is_due_right_now_is_not_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
