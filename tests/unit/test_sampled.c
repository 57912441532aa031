/* A profile in the making: what is one sample, and what becomes of too many. */
#include "task/sampled.h"

#include "base/clock.h"
#include "sampling_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct ph_profiling wish;
static struct ph_sampled sampled;

static int setup(void **state)
{
    sampling_setup(state);
    wish = (struct ph_profiling){.probe = &sampling.probe, .seconds = 1, .hz = 1000};
    return ph_sampled_init(&sampled, &wish, "cpu", NULL);
}

static int teardown(void **state)
{
    ph_sampled_fini(&sampled);
    return 0;
}

/* A stack of two frames, of which the leaf's address is @address. */
static uint32_t add(uint64_t address, int64_t tid, int64_t count)
{
    struct ph_task_stack stack = {.addresses = {address, 0x5000}, .count = 2, .end = PH_UNWIND_COMPLETE};
    struct ph_label label = ph_sampled_number(&sampled, "tid", tid);
    const int64_t values[] = {count, count * 10};
    return ph_sampled_add(&sampled, &stack, &label, 1, 0, values);
}

static struct ph_profile *finish(void)
{
    struct ph_profile *profile = NULL;
    assert_int_equal(ph_sampled_finish(&sampled, 5, &profile, NULL), 0);
    assert_int_equal(profile->duration_ns, 5);
    return profile;
}

static void equal_stacks_of_one_thread_are_one_sample(void **state)
{
    uint32_t place = add(0x1000, 1, 1);
    assert_int_equal(add(0x1000, 1, 2), place);
    assert_int_not_equal(add(0x1000, 2, 1), place);
    assert_int_not_equal(add(0x2000, 1, 1), place);
    struct ph_profile *profile = finish();
    assert_int_equal(profile->sample_count, 3);
    assert_int_equal(ph_profile_values(profile, place)[0], 3);
    assert_int_equal(ph_profile_values(profile, place)[1], 30);
    assert_int_equal(profile->period, PH_NS_PER_MS);
    ph_profile_free(profile);
}

/* Adds one stack and compares what is left of it. */
static void expect_kept(const uint64_t *addresses, size_t count, const uint64_t *kept, uint32_t kept_count)
{
    struct ph_task_stack stack = {.count = count, .end = PH_UNWIND_COMPLETE};
    const int64_t values[] = {1, 1};
    memcpy(stack.addresses, addresses, count * sizeof(*addresses));
    const struct ph_profile *profile = sampled.profile;
    uint32_t place = ph_sampled_add(&sampled, &stack, NULL, 0, 0, values);
    assert_int_equal(profile->samples[place].frame_count, kept_count);
    for (uint32_t i = 0; i < kept_count; i++) {
        uint32_t location = profile->frames[profile->samples[place].first_frame + i];
        assert_int_equal(ph_profile_location(profile, location)->address, kept[i]);
    }
}

#define EXPECT_KEPT(addresses, kept)                                                                               \
    expect_kept(addresses, sizeof(addresses) / sizeof(*(addresses)), kept, sizeof(kept) / sizeof(*(kept)))

static void frames_of_the_probe_are_not_in_stacks_but_what_was_called_of_its_allocator(void **state)
{
    const uint64_t in_hook[] = {0x1c00, 0x5000}, below_hook[] = {0x4000, 0x1c00, 0x1d00, 0x5000},
                   plain[] = {0x5000}, of_libc[] = {0x4000, 0x5000}, in_malloc[] = {0x1c10, 0x1320, 0x1110, 0x5000},
                   malloc_kept[] = {0x1100, 0x5000}, below_malloc[] = {0x4000, 0x1110, 0x5000},
                   below_kept[] = {0x4000, 0x1100, 0x5000}, twice[] = {0x1110, 0x5000, 0x1c00, 0x1210, 0x6000},
                   twice_kept[] = {0x1100, 0x5000, 0x1200, 0x6000}, nowhere[] = {0, 0x5000};
    sampling.probe.text_low = 0x1000;
    sampling.probe.text_high = 0x2000;
    EXPECT_KEPT(in_hook, plain);
    EXPECT_KEPT(below_hook, of_libc);
    EXPECT_KEPT(in_malloc, malloc_kept);
    EXPECT_KEPT(below_malloc, below_kept);
    EXPECT_KEPT(twice, twice_kept);
    EXPECT_KEPT(nowhere, nowhere); /* a call of NULL */
}

static void too_many_stacks_lose_their_labels_and_then_are_left_out(void **state)
{
    sampled.samples_max = 8;
    for (uint64_t i = 0; i < 8; i++)
        add(0x1000 + i, 1, 1);
    add(0x1000, 1, 1); /* known */
    assert_int_equal(sampled.unlabelled_count, 0);
    uint32_t place = add(0x1000, 2, 1);
    assert_int_equal(add(0x1000, 3, 1), place);
    add(0x1001, 2, 1);
    assert_int_equal(add(0x1002, 2, 5), PH_INDEX_NONE);
    assert_int_equal(add(0x1000, 4, 1), place);
    struct ph_profile *profile = finish();
    assert_int_equal(profile->sample_count, 10);
    assert_int_equal(ph_profile_values(profile, 0)[0], 2);
    assert_int_equal(profile->samples[place].label_count, 0);
    assert_int_equal(ph_profile_values(profile, place)[0], 3);
    assert_true(sampling_has_comment(profile, "4 samples have lost their labels"));
    assert_true(sampling_has_comment(profile, "5 samples are left out"));
    ph_profile_free(profile);
}

static void stacks_that_are_not_complete_are_counted_by_reason(void **state)
{
    struct ph_task_stack stack = {.addresses = {0x1000}, .count = 1};
    const int64_t values[] = {1, 1};
    static const enum ph_unwind_end ends[] = {PH_UNWIND_COMPLETE, PH_UNWIND_NO_RULE, PH_UNWIND_NO_RULE,
                                              PH_UNWIND_FULL};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        stack.end = ends[i];
        ph_sampled_add(&sampled, &stack, NULL, 0, 0, values);
    }
    struct ph_profile *profile = finish();
    assert_true(sampling_has_comment(profile, "2 of 4 stacks are not complete: code without unwinding tables"));
    assert_true(sampling_has_comment(profile, "1 of 4 stacks are not complete: more frames than are recorded"));
    assert_int_equal(profile->comment_count, 3);
    ph_profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(equal_stacks_of_one_thread_are_one_sample, setup, teardown),
        cmocka_unit_test_setup_teardown(frames_of_the_probe_are_not_in_stacks_but_what_was_called_of_its_allocator,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(too_many_stacks_lose_their_labels_and_then_are_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(stacks_that_are_not_complete_are_counted_by_reason, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
