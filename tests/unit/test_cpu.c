/* CPU profiles, with a probe that captures what the test says. */
#include "collect/cpu.h"

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

static struct ph_profiling one_second(void)
{
    return (struct ph_profiling){.probe = &sampling.probe, .seconds = 1, .hz = 100};
}

/* Ends as soon as it has read what there is, by losing the signal. */
static struct ph_profile *take_quickly(void)
{
    struct ph_profiling wish = one_second();
    struct ph_profile *profile = NULL;
    sampling.checks_left = 3;
    assert_int_equal(ph_cpu_profile(&wish, &profile, NULL), 0);
    assert_int_equal(sampling.given_back, sampling.taken);
    assert_int_equal(sampling.begins, 1);
    assert_int_equal(sampling.ends, 1);
    return profile;
}

static void samples_have_their_stack_and_stand_for_a_period_each(void **state)
{
    sampling.captures_left = 7;
    sampling.capture_count = 3;
    struct ph_profile *profile = take_quickly();
    assert_int_equal(sampling.taken, 7);
    assert_int_equal(sampling_total(profile, 0, 1234567, NULL, NULL, SAMPLING_LEAF), 21);
    assert_int_equal(sampling_total(profile, 0, 0, NULL, NULL, SAMPLING_ROOT), 21);
    assert_int_equal(sampling_total(profile, 1, 0, NULL, NULL, SAMPLING_MIDDLE), 21 * 10 * PH_NS_PER_MS);
    assert_int_equal(profile->sample_count, 1);
    assert_int_equal(profile->period, 10 * PH_NS_PER_MS);
    assert_int_equal(ph_profile_find_type(profile, "samples"), 0);
    assert_int_equal(ph_profile_find_type(profile, "cpu"), 1);
    assert_string_equal(ph_profile_text(profile, profile->period_type.type), "cpu");
    ph_profile_free(profile);
}

static void samples_have_the_name_of_their_thread_and_the_programs_labels(void **state)
{
    struct sampling_thread thread;
    sampling_thread_wait(&thread);
    sampling.captures_left = 2;
    sampling.capture_label_set = 1;
    sampling.capture_tid = thread.tid;
    struct ph_profile *profile = take_quickly();
    assert_int_equal(sampling_total(profile, 0, thread.tid, "thread", "waiting", SAMPLING_LEAF), 2);
    assert_int_equal(sampling_total(profile, 0, 0, "route", "/search", NULL), 2);
    assert_int_equal(sampling_total(profile, 0, 0, "tenant", "acme", NULL), 2);
    ph_profile_free(profile);
    sampling_thread_end(&thread);
}

static void a_bare_profile_has_mappings_and_no_names(void **state)
{
    struct ph_profiling wish = one_second();
    struct ph_profile *profile = NULL;
    wish.bare = true;
    sampling.captures_left = 1;
    sampling.checks_left = 3;
    assert_int_equal(ph_cpu_profile(&wish, &profile, NULL), 0);
    assert_int_equal(profile->function_count, 0);
    assert_int_equal(sampling_total(profile, 0, 0, NULL, NULL, NULL), 1);
    assert_int_equal(ph_profile_location(profile, profile->frames[0])->mapping, 1);
    ph_profile_free(profile);
}

static void every_thread_of_the_host_is_armed_once_and_none_of_ours(void **state)
{
    struct ph_profiling wish = one_second();
    struct ph_profile *profile = NULL;
    struct sampling_thread threads[2];
    sampling_thread_wait(&threads[0]);
    sampling_thread_burn(&threads[1]);
    assert_int_equal(ph_cpu_profile(&wish, &profile, NULL), 0);
    unsigned counts[2] = {0};
    for (unsigned i = 0; i < sampling.armed_count; i++) {
        assert_int_not_equal(sampling.armed[i], gettid());
        counts[0] += sampling.armed[i] == threads[0].tid;
        counts[1] += sampling.armed[i] == threads[1].tid;
    }
    assert_int_equal(counts[0], 1);
    assert_int_equal(counts[1], 1);
    sampling_thread_end(&threads[0]);
    sampling_thread_end(&threads[1]);
    ph_profile_free(profile);
}

/* A thread that begins while the profile runs. */
static struct sampling_thread newcomer;
static unsigned questions;

static bool make_newcomer(void *context)
{
    if (++questions == 2)
        sampling_thread_wait(&newcomer);
    return false;
}

static void a_thread_that_nobody_told_of_is_found_and_the_duration_is_as_wished(void **state)
{
    struct ph_profiling wish = one_second();
    struct ph_profile *profile = NULL;
    wish.is_cancelled = make_newcomer;
    questions = 0;
    int64_t begin_ns = ph_clock_monotonic_ns();
    assert_int_equal(ph_cpu_profile(&wish, &profile, NULL), 0);
    assert_true(ph_clock_monotonic_ns() - begin_ns >= PH_NS_PER_S);
    assert_int_equal(profile->duration_ns, PH_NS_PER_S);
    assert_int_equal(sampling.armed[sampling.armed_count - 1], newcomer.tid);
    assert_in_range(questions, 2, 25);
    sampling_thread_end(&newcomer);
    ph_profile_free(profile);
}

static void captures_after_the_end_do_not_count(void **state)
{
    sampling.captures_left = 5;
    sampling.capture_later_ns = 2 * PH_NS_PER_S;
    struct ph_profile *profile = take_quickly();
    assert_int_equal(sampling.taken, 5);
    assert_int_equal(profile->sample_count, 0);
    ph_profile_free(profile);
}

static void every_loss_is_told_with_its_reason(void **state)
{
    sampling.counts =
        (struct ph_sampling_counts){.captured = 1, .dropped_full = 11, .unarmed = 13, .tiny_stacks = 14};
    sampling.captures_left = 3;
    sampling.is_cut = true;
    struct ph_profile *profile = take_quickly();
    assert_true(sampling_has_comment(profile, "11 samples were lost: they came faster"));
    assert_true(sampling_has_comment(profile, "13 threads are not seen: no timer"));
    assert_true(sampling_has_comment(profile, "14 threads are not seen: their alternate signal stack"));
    assert_true(sampling_has_comment(profile, "3 of 3 stacks are not complete: the copied part of the stack ends"));
    assert_true(sampling_has_comment(profile, "ended early: the program has taken the signal"));
    assert_true(profile->duration_ns < PH_NS_PER_S);
    ph_profile_free(profile);
}

static void a_profile_without_losses_has_no_comment_about_them(void **state)
{
    struct ph_profiling wish = one_second();
    struct ph_profile *profile = NULL;
    sampling.captures_left = 10;
    assert_int_equal(ph_cpu_profile(&wish, &profile, NULL), 0);
    assert_int_equal(profile->comment_count, 1);
    assert_true(sampling_has_comment(profile, "porthole 0.0"));
    ph_profile_free(profile);
}

static bool always(void *context)
{
    return true;
}

static void a_client_that_hangs_up_ends_it(void **state)
{
    struct ph_profiling wish = one_second();
    struct ph_profile *profile = NULL;
    struct ph_error error = {0};
    int64_t since_ns, until_ns;
    wish.seconds = 3600;
    wish.is_cancelled = always;
    assert_int_equal(ph_cpu_profile(&wish, &profile, &error), -ECANCELED);
    assert_null(profile);
    assert_int_equal(sampling.ends, 1);
    assert_false(ph_profiling_state(&since_ns, &until_ns));
}

static void what_forbids_sampling_is_told_and_the_place_is_free_again(void **state)
{
    static const struct {
        int result;
        const char *part;
    } rows[] = {{-EBUSY, "another profile"},
                {-ENOSPC, "no signal is free"},
                {-EPERM, "filters system calls"},
                {-ENOMEM, "no memory"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ph_profiling wish = one_second();
        struct ph_profile *profile = NULL;
        struct ph_error error = {0};
        int64_t since_ns, until_ns;
        sampling.begin_result = rows[i].result;
        assert_int_equal(ph_cpu_profile(&wish, &profile, &error), rows[i].result);
        assert_non_null(strstr(error.text, rows[i].part));
        assert_int_equal(sampling.ends, 0);
        assert_false(ph_profiling_state(&since_ns, &until_ns));
    }
}

static void a_second_one_is_told_how_long_the_first_lasts(void **state)
{
    struct ph_profiling wish = one_second(), longer = wish;
    struct ph_profile *profile = NULL;
    struct ph_error error = {0};
    longer.seconds = 100;
    assert_int_equal(ph_profiling_begin(&longer, NULL), 0);
    assert_int_equal(ph_cpu_profile(&wish, &profile, &error), -EBUSY);
    assert_non_null(strstr(error.text, "100.0 s more"));
    assert_int_equal(sampling.begins, 0);
    ph_profiling_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(samples_have_their_stack_and_stand_for_a_period_each, sampling_setup),
        cmocka_unit_test_setup(samples_have_the_name_of_their_thread_and_the_programs_labels, sampling_setup),
        cmocka_unit_test_setup(a_bare_profile_has_mappings_and_no_names, sampling_setup),
        cmocka_unit_test_setup(every_thread_of_the_host_is_armed_once_and_none_of_ours, sampling_setup),
        cmocka_unit_test_setup(a_thread_that_nobody_told_of_is_found_and_the_duration_is_as_wished, sampling_setup),
        cmocka_unit_test_setup(captures_after_the_end_do_not_count, sampling_setup),
        cmocka_unit_test_setup(every_loss_is_told_with_its_reason, sampling_setup),
        cmocka_unit_test_setup(a_profile_without_losses_has_no_comment_about_them, sampling_setup),
        cmocka_unit_test_setup(a_client_that_hangs_up_ends_it, sampling_setup),
        cmocka_unit_test_setup(what_forbids_sampling_is_told_and_the_place_is_free_again, sampling_setup),
        cmocka_unit_test_setup(a_second_one_is_told_how_long_the_first_lasts, sampling_setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
