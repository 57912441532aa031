/* The place of the one profile that may run: who has it, and what the others are told. */
#include "task/profiling.h"

#include "base/clock.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const struct ph_profiling ten_seconds = {.seconds = 10, .hz = 100};

static void only_one_profile_runs_at_a_time(void **state)
{
    struct ph_error error = {0};
    assert_int_equal(ph_profiling_begin(&ten_seconds, &error), 0);
    assert_int_equal(ph_profiling_begin(&ten_seconds, &error), -EBUSY);
    assert_int_equal(error.code, -EBUSY);
    assert_non_null(strstr(error.text, " s more"));
    ph_profiling_end();
    assert_int_equal(ph_profiling_begin(&ten_seconds, &error), 0);
    ph_profiling_end();
}

static void its_state_tells_since_when_and_until_when(void **state)
{
    int64_t since_ns = -1, until_ns = -1, before_ns = ph_clock_monotonic_ns();
    assert_false(ph_profiling_state(&since_ns, &until_ns));
    assert_int_equal(since_ns, -1);
    assert_int_equal(ph_profiling_begin(&ten_seconds, NULL), 0);
    assert_true(ph_profiling_state(&since_ns, &until_ns));
    assert_true(since_ns > before_ns - 2 * PH_NS_PER_MS && since_ns <= ph_clock_monotonic_ns());
    assert_int_equal(until_ns - since_ns, 10 * PH_NS_PER_S);
    ph_profiling_end();
    assert_false(ph_profiling_state(&since_ns, &until_ns));
}

static void a_wish_for_years_does_not_overflow(void **state)
{
    const struct ph_profiling years = {.seconds = UINT32_MAX, .hz = 100};
    int64_t since_ns, until_ns;
    assert_int_equal(ph_profiling_begin(&years, NULL), 0);
    assert_true(ph_profiling_state(&since_ns, &until_ns));
    assert_true(since_ns <= ph_clock_monotonic_ns());
    assert_true(until_ns - since_ns > 7 * 24 * 3600 * PH_NS_PER_S);
    ph_profiling_end();
}

static void a_forked_child_may_begin_its_own(void **state)
{
    int status;
    assert_int_equal(ph_profiling_begin(&ten_seconds, NULL), 0);
    pid_t child = fork();
    if (child == 0) {
        ph_profiling_forked();
        _exit(ph_profiling_begin(&ten_seconds, NULL) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(ph_profiling_begin(&ten_seconds, NULL), -EBUSY);
    ph_profiling_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_one_profile_runs_at_a_time),
        cmocka_unit_test(its_state_tells_since_when_and_until_when),
        cmocka_unit_test(a_wish_for_years_does_not_overflow),
        cmocka_unit_test(a_forked_child_may_begin_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
