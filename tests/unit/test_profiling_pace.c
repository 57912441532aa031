#include "base/clock.h"
#include "task/profiling_pace.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct client {
    int asked_count;
    bool has_left;
};

static bool has_left(void *context)
{
    struct client *client = context;
    client->asked_count++;
    return client->has_left;
}

static void a_profile_lasts_as_long_as_was_wished(void **state)
{
    (void)state;
    struct ph_pace pace;
    struct ph_profiling wish = {.seconds = 7};
    ph_pace_begin(&pace, &wish);
    assert_int_equal(pace.until_ns - pace.begin_ns, 7 * PH_NS_PER_S);
}

static void the_client_is_asked_twenty_times_a_second(void **state)
{
    (void)state;
    struct ph_pace pace;
    struct ph_error error;
    struct client client = {0, false};
    struct ph_profiling wish = {.seconds = 1, .is_cancelled = has_left, .context = &client};
    ph_pace_begin(&pace, &wish);
    for (int64_t at_ns = pace.begin_ns; at_ns < pace.until_ns; at_ns += PH_NS_PER_MS)
        assert_int_equal(ph_pace_check(&pace, at_ns, &error), 0);
    assert_int_equal(client.asked_count, 20);
    client.has_left = true;
    assert_int_equal(ph_pace_check(&pace, pace.until_ns, &error), -ECANCELED);
    assert_string_equal(error.text, "the profile was cancelled");
}

static void looks_for_new_threads_that_take_long_are_rare(void **state)
{
    (void)state;
    struct ph_pace pace;
    struct ph_profiling wish = {.seconds = 1};
    ph_pace_begin(&pace, &wish);
    int64_t before_ns = ph_clock_monotonic_ns();
    ph_pace_scanned(&pace, before_ns - 10, PH_NS_PER_S);
    int64_t after_ns = ph_clock_monotonic_ns();
    if (after_ns - before_ns < PH_NS_PER_S / 20) /* else it took long indeed */
        assert_in_range(pace.next_scan_ns, before_ns + PH_NS_PER_S, after_ns + PH_NS_PER_S);
    ph_pace_scanned(&pace, before_ns - PH_NS_PER_S, PH_NS_PER_S);
    assert_true(pace.next_scan_ns >= before_ns + 20 * PH_NS_PER_S);
}

static void nobody_sleeps_beyond_the_end(void **state)
{
    (void)state;
    struct ph_pace pace;
    struct ph_profiling wish = {.seconds = 1};
    ph_pace_begin(&pace, &wish);
    pace.until_ns = pace.begin_ns + PH_NS_PER_MS;
    ph_pace_sleep(&pace, pace.begin_ns + 3600 * PH_NS_PER_S); /* else the test takes too long */
    assert_true(ph_clock_monotonic_ns() >= pace.until_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_profile_lasts_as_long_as_was_wished),
        cmocka_unit_test(the_client_is_asked_twenty_times_a_second),
        cmocka_unit_test(looks_for_new_threads_that_take_long_are_rare),
        cmocka_unit_test(nobody_sleeps_beyond_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
