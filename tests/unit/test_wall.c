/* Wall profiles of real threads; those that run are answered for by a probe that captures what the test says. */
#include "collect/wall.h"

#include "base/clock.h"
#include "sampling_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct ph_profile *take(struct ph_profiling *wish)
{
    struct ph_profile *profile = NULL;
    assert_int_equal(ph_wall_profile(wish, &profile, NULL), 0);
    assert_int_equal(sampling.asked, sampling.unasked);
    return profile;
}

static struct ph_profile *take_one_second(void)
{
    struct ph_profiling wish = {.probe = &sampling.probe, .seconds = 1, .hz = 100};
    return take(&wish);
}

static bool was_asked(pid_t tid)
{
    for (unsigned i = 0; i < sampling.asked; i++)
        if (sampling.asked_tids[i] == tid)
            return true;
    return false;
}

static void a_blocked_thread_is_seen_from_outside_and_not_asked(void **state)
{
    struct sampling_thread thread;
    sampling_thread_wait(&thread);
    struct ph_profile *profile = take_one_second();
    assert_int_equal(profile->duration_ns, PH_NS_PER_S);
    int64_t waited_ns = sampling_total(profile, 1, thread.tid, "state", "sleeping", "sampling_waits");
    assert_in_range(waited_ns, PH_NS_PER_S * 9 / 10, PH_NS_PER_S);
    assert_int_equal(sampling_total(profile, 1, thread.tid, "thread", "waiting", NULL), PH_NS_PER_S);
    assert_in_range(sampling_total(profile, 0, thread.tid, NULL, NULL, NULL), 80, 120);
    assert_false(was_asked(thread.tid));
    assert_int_equal(profile->period, 10 * PH_NS_PER_MS);
    assert_string_equal(ph_profile_text(profile, profile->period_type.type), "wall");
    ph_profile_free(profile);
    sampling_thread_end(&thread);
}

static void a_running_thread_is_asked_and_all_its_time_is_there(void **state)
{
    struct sampling_thread thread;
    sampling.capture_label_set = 1;
    sampling_thread_burn(&thread);
    struct ph_profile *profile = take_one_second();
    assert_true(was_asked(thread.tid));
    assert_int_equal(sampling_total(profile, 1, thread.tid, "state", "running", SAMPLING_LEAF), PH_NS_PER_S);
    assert_int_equal(sampling_total(profile, 1, thread.tid, "route", "/search", NULL), PH_NS_PER_S);
    assert_int_equal(profile->comment_count, 1);
    ph_profile_free(profile);
    sampling_thread_end(&thread);
}

static void a_running_thread_that_does_not_answer_has_time_without_a_stack(void **state)
{
    static const int results[] = {0, -EPERM, -EAGAIN};
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        struct sampling_thread thread;
        sampling.answers = false;
        sampling.ask_result = results[i];
        sampling_thread_burn(&thread);
        struct ph_profile *profile = take_one_second();
        assert_int_equal(sampling_total(profile, 1, thread.tid, "state", "running", "[no stack]"), PH_NS_PER_S);
        assert_true(sampling_has_comment(profile, "samples of running threads have no stack"));
        ph_profile_free(profile);
        sampling_thread_end(&thread);
    }
}

static void threads_of_ours_are_not_there(void **state)
{
    struct ph_profile *profile = take_one_second();
    assert_int_equal(sampling_total(profile, 0, gettid(), NULL, NULL, NULL), 0);
    ph_profile_free(profile);
}

#define MANY 50

static void with_more_threads_than_looks_each_has_its_time_still(void **state)
{
    struct sampling_thread threads[MANY];
    struct ph_profiling wish = {
        .probe = &sampling.probe, .seconds = 1, .hz = PH_PROFILE_HZ_MAX}; /* 20 looks a round */
    for (int i = 0; i < MANY; i++)
        sampling_thread_wait(&threads[i]);
    struct ph_profile *profile = take(&wish);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(sampling_total(profile, 1, threads[i].tid, "state", "sleeping", NULL), PH_NS_PER_S);
    assert_true(sampling_has_comment(profile, "of 50 threads 20 were looked at"));
    ph_profile_free(profile);
    for (int i = 0; i < MANY; i++)
        sampling_thread_end(&threads[i]);
}

/* A thread that ends, and one that begins, while the profile runs. */
static struct sampling_thread leaver, newcomer;
static unsigned questions;

static bool change_threads(void *context)
{
    if (++questions == 2)
        sampling_thread_wait(&newcomer);
    if (questions == 3)
        sampling_thread_end(&leaver);
    return false;
}

static void threads_that_come_and_go_are_seen_for_a_while(void **state)
{
    struct ph_profiling wish = {.probe = &sampling.probe, .seconds = 2, .hz = 100, .is_cancelled = change_threads};
    questions = 0;
    sampling_thread_wait(&leaver);
    struct ph_profile *profile = take(&wish);
    int64_t left_ns = sampling_total(profile, 1, leaver.tid, NULL, NULL, "sampling_waits");
    int64_t came_ns = sampling_total(profile, 1, newcomer.tid, NULL, NULL, "sampling_waits");
    assert_true(left_ns > 0 && left_ns < 2 * PH_NS_PER_S);
    assert_true(came_ns > 0 && came_ns < 2 * PH_NS_PER_S);
    ph_profile_free(profile);
    sampling_thread_end(&newcomer);
}

/* As when everything stands still just before the last look. */
static bool stand_still(void *context)
{
    if (++questions == 2)
        usleep(1200000);
    return false;
}

static void a_look_that_comes_late_counts_no_time_beyond_the_end(void **state)
{
    struct sampling_thread thread;
    struct ph_profiling wish = {.probe = &sampling.probe, .seconds = 1, .hz = 100, .is_cancelled = stand_still};
    questions = 0;
    sampling_thread_wait(&thread);
    struct ph_profile *profile = take(&wish);
    assert_int_equal(sampling_total(profile, 1, thread.tid, NULL, NULL, NULL), PH_NS_PER_S);
    ph_profile_free(profile);
    sampling_thread_end(&thread);
}

static bool always(void *context)
{
    return true;
}

static void a_client_that_hangs_up_ends_it(void **state)
{
    struct ph_profiling wish = {.probe = &sampling.probe, .seconds = 3600, .hz = 100, .is_cancelled = always};
    struct ph_profile *profile = NULL;
    int64_t since_ns, until_ns;
    assert_int_equal(ph_wall_profile(&wish, &profile, NULL), -ECANCELED);
    assert_null(profile);
    assert_int_equal(sampling.asked, sampling.unasked);
    assert_false(ph_profiling_state(&since_ns, &until_ns));
}

static void only_one_of_either_kind_runs(void **state)
{
    struct ph_profiling wish = {.probe = &sampling.probe, .seconds = 1, .hz = 100};
    struct ph_profile *profile = NULL;
    assert_int_equal(ph_profiling_begin(&wish, NULL), 0);
    assert_int_equal(ph_wall_profile(&wish, &profile, NULL), -EBUSY);
    ph_profiling_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_blocked_thread_is_seen_from_outside_and_not_asked, sampling_setup),
        cmocka_unit_test_setup(a_running_thread_is_asked_and_all_its_time_is_there, sampling_setup),
        cmocka_unit_test_setup(a_running_thread_that_does_not_answer_has_time_without_a_stack, sampling_setup),
        cmocka_unit_test_setup(threads_of_ours_are_not_there, sampling_setup),
        cmocka_unit_test_setup(with_more_threads_than_looks_each_has_its_time_still, sampling_setup),
        cmocka_unit_test_setup(threads_that_come_and_go_are_seen_for_a_while, sampling_setup),
        cmocka_unit_test_setup(a_look_that_comes_late_counts_no_time_beyond_the_end, sampling_setup),
        cmocka_unit_test_setup(a_client_that_hangs_up_ends_it, sampling_setup),
        cmocka_unit_test_setup(only_one_of_either_kind_runs, sampling_setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
