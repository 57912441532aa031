#include "grown.h"
#include "growth/timeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

/* ---- order ---- */

#define MOMENTS_MAX 8

static struct ph_moment at(double seconds)
{
    struct ph_moment moment = {.program = {.name = "", .build_id = ""}, .allocated = NAN};
    moment.time_ns = seconds < 0 ? 0 : GROWN_START_NS + (int64_t)(seconds * 1e9);
    return moment;
}

static struct ph_timeline order(const double *seconds, size_t count)
{
    struct ph_moment moments[MOMENTS_MAX];
    struct ph_timeline timeline;
    for (size_t i = 0; i < count; i++)
        moments[i] = at(seconds[i]);
    assert_int_equal(ph_timeline_init(&timeline, moments, count), 0);
    return timeline;
}

static void expect_order(const struct ph_timeline *timeline, const uint32_t *expected, size_t count)
{
    assert_int_equal(timeline->count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(timeline->order[i], expected[i]);
}

static void profiles_are_ordered_by_their_times(void **state)
{
    struct ph_timeline timeline = order((const double[]){20, 10, 30}, 3);
    expect_order(&timeline, (const uint32_t[]){1, 0, 2}, 3);
    assert_true(timeline.has_times && timeline.is_reordered);
    assert_true(timeline.seconds[0] == 0 && timeline.seconds[1] == 10 && timeline.seconds[2] == 20);
    ph_timeline_fini(&timeline);
    timeline = order((const double[]){10, 20, 30}, 3);
    assert_false(timeline.is_reordered);
    ph_timeline_fini(&timeline);
}

static void one_profile_without_a_time_leaves_the_order_as_given(void **state)
{
    struct ph_timeline timeline = order((const double[]){20, -1, 10}, 3);
    expect_order(&timeline, (const uint32_t[]){0, 1, 2}, 3);
    assert_false(timeline.has_times);
    assert_int_equal(timeline.untimed_count, 1);
    assert_true(timeline.seconds[2] == 2);
    ph_timeline_fini(&timeline);
}

static void equal_times_are_told_apart_by_the_order_given(void **state)
{
    struct ph_timeline timeline = order((const double[]){30, 10, 10, 10}, 4);
    expect_order(&timeline, (const uint32_t[]){1, 2, 3, 0}, 4);
    assert_int_equal(timeline.equal_count, 2);
    for (size_t i = 1; i < 4; i++)
        assert_true(timeline.seconds[i] > timeline.seconds[i - 1]);
    assert_true(timeline.seconds[3] == 20);
    ph_timeline_fini(&timeline);
}

static void times_that_are_all_equal_are_no_times(void **state)
{
    struct ph_timeline timeline = order((const double[]){10, 10}, 2);
    assert_false(timeline.has_times);
    assert_true(timeline.seconds[1] == 1);
    ph_timeline_fini(&timeline);
}

/* ---- processes ---- */

static struct ph_program_map maps[][2] = {
    {{"server", "ab", 0x10000, 0}, {"libc.so.6", "cc", 0x70000, 0}},
    {{"server", "ab", 0x20000, 0}, {"libc.so.6", "cc", 0x80000, 0}}, /* moved */
    {{"server", "ef", 0x10000, 0}, {"libc.so.6", "cc", 0x70000, 0}}, /* rebuilt */
    {{"server", "ab", 0x10000, 0}, {"libc.so.6", "cc", 0x80000, 0}}, /* not position-independent, moved */
    {{"client", "dd", 0x10000, 0}, {"libc.so.6", "cc", 0x70000, 0}},
    {{"server.old", "ab", 0x10000, 0}, {"libc.so.6", "cc", 0x70000, 0}}, /* renamed */
    {{"client", "", 0x10000, 0}, {"libc.so.6", "", 0x70000, 0}},
};

static struct ph_program program(size_t row)
{
    return (struct ph_program){maps[row][0].name, maps[row][0].build_id, maps[row], 2, NULL, 0, 0};
}

static void expect_change(size_t before, size_t after, enum ph_program_change change)
{
    struct ph_program a = program(before), b = program(after);
    assert_int_equal(ph_program_compare(&a, &b), change);
    assert_int_equal(ph_program_compare(&b, &a), change);
}

static void restarts_builds_and_programs_are_told_by_the_mappings(void **state)
{
    const struct ph_program unknown = {.name = "", .build_id = ""};
    struct ph_program known = program(0);
    expect_change(0, 0, PH_PROGRAM_SAME);
    expect_change(0, 1, PH_PROGRAM_MOVED);
    expect_change(0, 2, PH_PROGRAM_REBUILT);
    expect_change(0, 4, PH_PROGRAM_OTHER);
    expect_change(0, 5, PH_PROGRAM_SAME); /* the same build under another name */
    expect_change(0, 6, PH_PROGRAM_OTHER);
    assert_int_equal(ph_program_compare(&unknown, &known), PH_PROGRAM_SAME);
    assert_int_equal(ph_program_compare(&known, &unknown), PH_PROGRAM_SAME);
}

static void a_library_that_was_loaded_again_is_no_restart(void **state)
{
    struct ph_program_map before[] = {maps[0][0], maps[0][1], {"plugin.so", "", 0x90000, 0}};
    struct ph_program_map after[] = {maps[0][0], maps[0][1], {"plugin.so", "", 0xa0000, 0}};
    struct ph_program a = {"server", "ab", before, 3, NULL, 0, 0}, b = {"server", "ab", after, 3, NULL, 0, 0};
    assert_int_equal(ph_program_compare(&a, &b), PH_PROGRAM_SAME);
    after[1].start += 0x1000; /* two of three */
    assert_int_equal(ph_program_compare(&a, &b), PH_PROGRAM_MOVED);
}

/* The processes of a program by the seconds of their start; their pids are the same. */
static void give_processes(struct ph_program *program, struct ph_program_process *processes, const int *starts,
                           uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        processes[i] = (struct ph_program_process){starts[i], starts[i] + 100};
    program->processes = processes;
    program->process_count = count;
}

static void what_a_profile_says_of_its_process_goes_before_addresses(void **state)
{
    struct ph_program a = program(0), b = program(0), moved = program(1);
    struct ph_program_process first[1], second[1];
    give_processes(&a, first, (const int[]){1}, 1);
    give_processes(&moved, first, (const int[]){1}, 1);
    give_processes(&b, second, (const int[]){2}, 1);
    assert_int_equal(ph_program_compare(&a, &b), PH_PROGRAM_MOVED);
    assert_int_equal(ph_program_compare(&a, &moved), PH_PROGRAM_SAME);
    second[0] = (struct ph_program_process){1, 7};
    assert_int_equal(ph_program_compare(&a, &b), PH_PROGRAM_MOVED);
    b.process_count = 0;
    assert_int_equal(ph_program_compare(&a, &b), PH_PROGRAM_SAME);
}

static void a_family_is_the_same_as_long_as_one_process_of_it_lives(void **state)
{
    struct ph_program before = program(0), after = program(0);
    struct ph_program_process old[4], new[4];
    give_processes(&before, old, (const int[]){1, 5, 6, 7}, 4);
    give_processes(&after, new, (const int[]){1, 20, 21}, 3); /* all workers are new */
    assert_int_equal(ph_program_compare(&before, &after), PH_PROGRAM_SAME);
    assert_int_equal(ph_program_ended(&before, &after), 3);
    assert_int_equal(ph_program_ended(&after, &before), 2);
    give_processes(&after, new, (const int[]){7, 20}, 2); /* the first has ended, a worker lives */
    assert_int_equal(ph_program_compare(&before, &after), PH_PROGRAM_SAME);
    give_processes(&after, new, (const int[]){19, 20, 21}, 3);
    assert_int_equal(ph_program_compare(&before, &after), PH_PROGRAM_MOVED);
    assert_int_equal(ph_program_ended(&before, &after), 4);
    after.process_count = 0; /* it does not tell */
    assert_int_equal(ph_program_ended(&before, &after), 0);
}

static void a_profile_tells_its_processes_in_comments(void **state)
{
    static const char *const comments[] = {"process 14, started 50", "process 12, started 34",
                                           "process 12, started 34", "process 15 (nginx) did not answer in 2 s",
                                           "processor 9"};
    struct ph_profile *profile = grown_heap(0);
    struct ph_arena memory = PH_ARENA_INIT;
    struct ph_program found;
    ph_profile_add_comment(profile, "porthole 0.1.0");
    assert_int_equal(ph_program_describe(profile, &memory, &found), 0);
    assert_int_equal(found.process_count, 0);
    for (size_t i = 0; i < sizeof(comments) / sizeof(comments[0]); i++)
        ph_profile_add_comment(profile, comments[i]);
    assert_int_equal(ph_program_describe(profile, &memory, &found), 0);
    assert_int_equal(found.process_count, 2);
    assert_int_equal(found.processes[0].pid, 12);
    assert_int_equal(found.processes[0].start_ns, 34);
    assert_int_equal(found.processes[1].pid, 14);
    assert_int_equal(found.silent_count, 1);
    ph_profile_free(profile);
    ph_arena_fini(&memory);
}

static void a_profile_tells_its_program_by_its_first_file(void **state)
{
    struct ph_profile *profile = grown_heap(0);
    struct ph_arena memory = PH_ARENA_INIT;
    struct ph_program found;
    grown_mapping(profile, 0x5000, "//anon", "");
    grown_mapping(profile, 0x7000, "/usr/bin/server (deleted)", "ab12");
    grown_mapping(profile, 0x9000, "[vdso]", "");
    assert_int_equal(ph_program_describe(profile, &memory, &found), 0);
    ph_profile_free(profile);
    assert_string_equal(found.name, "server");
    assert_string_equal(found.build_id, "ab12");
    assert_int_equal(found.map_count, 1);
    assert_int_equal(found.maps[0].start, 0x7000);
    ph_arena_fini(&memory);
}

/* @rows: of maps, one profile each. */
static struct ph_timeline run(const size_t *rows, const double *allocated, size_t count)
{
    struct ph_moment moments[MOMENTS_MAX];
    struct ph_timeline timeline;
    for (size_t i = 0; i < count; i++) {
        moments[i] = at((double)i);
        moments[i].program = program(rows[i]);
        moments[i].allocated = allocated ? allocated[i] : NAN;
    }
    assert_int_equal(ph_timeline_init(&timeline, moments, count), 0);
    return timeline;
}

static void a_series_is_that_of_the_last_process(void **state)
{
    struct ph_timeline timeline = run((const size_t[]){0, 0, 0, 1, 1, 1}, NULL, 6);
    expect_order(&timeline, (const uint32_t[]){3, 4, 5}, 3);
    assert_int_equal(timeline.left_out_before, 3);
    assert_true(timeline.seconds[0] == 0);
    assert_false(timeline.is_break[0]);
    ph_timeline_fini(&timeline);
}

static void a_process_with_too_few_profiles_waits_for_more(void **state)
{
    struct ph_timeline timeline = run((const size_t[]){0, 1, 1, 1, 0, 0}, NULL, 6);
    expect_order(&timeline, (const uint32_t[]){1, 2, 3}, 3);
    assert_int_equal(timeline.left_out_before, 1);
    assert_int_equal(timeline.left_out_after, 2);
    ph_timeline_fini(&timeline);
}

static void two_builds_are_compared_as_they_are(void **state)
{
    struct ph_timeline timeline = run((const size_t[]){0, 2}, NULL, 2);
    expect_order(&timeline, (const uint32_t[]){0, 1}, 2);
    assert_false(timeline.is_break[0]);
    assert_true(timeline.is_break[1]);
    ph_timeline_fini(&timeline);
}

static void allocations_that_begin_anew_are_a_restart(void **state)
{
    const size_t rows[] = {0, 0, 0, 0};
    struct ph_timeline timeline = run(rows, (const double[]){1000, 990, 1500, 1400}, 4);
    for (size_t i = 0; i < 4; i++) /* estimates move a little */
        assert_false(timeline.is_break[i]);
    ph_timeline_fini(&timeline);
    timeline = run(rows, (const double[]){1000, 100, 200, 300}, 4);
    expect_order(&timeline, (const uint32_t[]){1, 2, 3}, 3);
    ph_timeline_fini(&timeline);
}

static void workers_that_end_take_along_what_they_had_allocated(void **state)
{
    struct ph_moment moments[4];
    struct ph_program_process processes[4][3];
    static const int starts[4][3] = {{1, 5, 6}, {1, 5, 6}, {1, 20, 21}, {1, 20, 21}};
    static const double allocated[] = {1000, 1500, 300, 400};
    struct ph_timeline timeline;
    for (size_t i = 0; i < 4; i++) {
        moments[i] = at((double)i);
        moments[i].program = program(0);
        moments[i].allocated = allocated[i];
        give_processes(&moments[i].program, processes[i], starts[i], 3);
    }
    assert_int_equal(ph_timeline_init(&timeline, moments, 4), 0);
    expect_order(&timeline, (const uint32_t[]){0, 1, 2, 3}, 4);
    ph_timeline_fini(&timeline);
    moments[3].allocated = 30; /* of the same processes */
    assert_int_equal(ph_timeline_init(&timeline, moments, 4), 0);
    expect_order(&timeline, (const uint32_t[]){0, 1, 2}, 3);
    ph_timeline_fini(&timeline);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profiles_are_ordered_by_their_times),
        cmocka_unit_test(one_profile_without_a_time_leaves_the_order_as_given),
        cmocka_unit_test(equal_times_are_told_apart_by_the_order_given),
        cmocka_unit_test(times_that_are_all_equal_are_no_times),
        cmocka_unit_test(restarts_builds_and_programs_are_told_by_the_mappings),
        cmocka_unit_test(a_library_that_was_loaded_again_is_no_restart),
        cmocka_unit_test(what_a_profile_says_of_its_process_goes_before_addresses),
        cmocka_unit_test(a_family_is_the_same_as_long_as_one_process_of_it_lives),
        cmocka_unit_test(a_profile_tells_its_processes_in_comments),
        cmocka_unit_test(a_profile_tells_its_program_by_its_first_file),
        cmocka_unit_test(a_series_is_that_of_the_last_process),
        cmocka_unit_test(a_process_with_too_few_profiles_waits_for_more),
        cmocka_unit_test(two_builds_are_compared_as_they_are),
        cmocka_unit_test(allocations_that_begin_anew_are_a_restart),
        cmocka_unit_test(workers_that_end_take_along_what_they_had_allocated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
