#include "model/heap_types.h"
#include "tools/heap_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MIB (INT64_C(1) << 20)

static struct ph_profile *new_profile(int64_t rate_bytes)
{
    struct ph_profile *profile = ph_profile_new();
    assert_non_null(profile);
    ph_heap_types_set(profile, rate_bytes);
    return profile;
}

/* One stack: @leaf called by main. */
static void add(struct ph_profile *profile, const char *leaf, int64_t objects, int64_t bytes)
{
    const char *const names[] = {leaf, "main"};
    uint32_t frames[2];
    for (int i = 0; i < 2; i++) {
        struct ph_function function = {.name = ph_profile_string(profile, names[i])};
        struct ph_line line = {.function = ph_profile_add_function(profile, &function)};
        frames[i] = ph_profile_add_location(profile, 0, 0, false, &line, 1);
    }
    int64_t values[] = {2 * objects, 2 * bytes, objects, bytes};
    ph_profile_add_sample(profile, frames, 2, NULL, 0, values);
    assert_int_equal(ph_profile_status(profile), 0);
}

static char *view(const struct ph_profile *profile, uint32_t type, size_t row_count, size_t width)
{
    struct ph_buf out = PH_BUF_INIT;
    struct ph_heap_view asked = {profile, type, "process 7", row_count, width, NULL, false};
    assert_int_equal(ph_heap_view_write(&asked, &out), 0);
    return ph_buf_take(&out, NULL);
}

static void expect_line(const char *text, const char *line)
{
    char *wrapped = strdup(text);
    bool found = false;
    for (char *next = strtok(wrapped, "\n"); next && !found; next = strtok(NULL, "\n"))
        found = strcmp(next, line) == 0;
    free(wrapped);
    if (!found)
        print_error("no line \"%s\" in:\n%s", line, text);
    assert_true(found);
}

static void the_table_tells_flat_and_cumulative_values(void **state)
{
    struct ph_profile *profile = new_profile(512 << 10);
    add(profile, "_Z5parsePKc", 300, 150 * MIB);
    add(profile, "load", 100, 50 * MIB);
    char *text = view(profile, PH_HEAP_INUSE_SPACE, 20, 0);
    expect_line(text, "process 7: inuse_space 200.0 MiB");
    expect_line(text, "Showing 3 of 3 functions");
    expect_line(text, "     flat  flat%        cum    cum%  function");
    expect_line(text, "150.0 MiB  75.0%  150.0 MiB   75.0%  parse(char const*)");
    expect_line(text, " 50.0 MiB  25.0%   50.0 MiB   25.0%  load");
    expect_line(text, "      0 B   0.0%  200.0 MiB  100.0%  main");
    free(text);
    ph_profile_free(profile);
}

static void counts_are_not_bytes(void **state)
{
    struct ph_profile *profile = new_profile(512 << 10);
    add(profile, "load", 12345, 50 * MIB);
    char *text = view(profile, PH_HEAP_ALLOC_OBJECTS, 20, 0);
    expect_line(text, "process 7: alloc_objects 24,690");
    expect_line(text, "24,690  100.0%  24,690  100.0%  load");
    free(text);
    ph_profile_free(profile);
}

static void only_the_largest_are_shown_and_the_rest_is_counted(void **state)
{
    struct ph_profile *profile = new_profile(512 << 10);
    add(profile, "tiny", 1, MIB);
    add(profile, "large", 1, 64 * MIB);
    char *text = view(profile, PH_HEAP_INUSE_SPACE, 1, 0);
    expect_line(text, "Showing 1 of 3 functions");
    assert_non_null(strstr(text, "large"));
    assert_null(strstr(text, "tiny"));
    free(text);
    ph_profile_free(profile);
}

static void what_is_freed_is_not_shown(void **state)
{
    struct ph_profile *profile = new_profile(512 << 10);
    add(profile, "freed", 0, 0);
    add(profile, "held", 1, MIB);
    char *text = view(profile, PH_HEAP_INUSE_SPACE, 20, 0);
    assert_null(strstr(text, "freed"));
    expect_line(text, "Showing 2 of 2 functions");
    free(text);
    ph_profile_free(profile);
}

static void an_empty_heap_is_said_to_be_empty(void **state)
{
    struct ph_profile *profile = new_profile(512 << 10);
    char *text = view(profile, PH_HEAP_INUSE_SPACE, 20, 0);
    expect_line(text, "process 7: inuse_space 0 B");
    expect_line(text, "No samples: nothing that was sampled is left to show");
    assert_null(strstr(text, "Showing"));
    free(text);
    ph_profile_free(profile);
}

static void samples_are_counted_back_from_unbiased_values(void **state)
{
    struct ph_profile *profile = new_profile(512 << 10);
    /* Objects of the sampling rate are seen with a probability of 1 - 1/e. */
    add(profile, "load", 1000, 1000 * (MIB / 2));
    double sampled = ph_heap_sampled_count(profile, PH_HEAP_INUSE_SPACE);
    assert_true(sampled > 632.1 && sampled < 632.2);
    assert_true(ph_heap_sampled_count(profile, PH_HEAP_INUSE_OBJECTS) == sampled);
    sampled = ph_heap_sampled_count(profile, PH_HEAP_ALLOC_SPACE);
    assert_true(sampled > 1264.2 && sampled < 1264.3);
    ph_profile_free(profile);
}

static void a_difference_rests_on_the_samples_of_both_sides(void **state)
{
    struct ph_profile *profile = new_profile(512 << 10);
    add(profile, "gone", -100, -100 * 8 * MIB);
    double sampled = ph_heap_sampled_count(profile, PH_HEAP_INUSE_SPACE);
    assert_true(sampled > 99.9 && sampled <= 100);
    profile->duration_ns = INT64_C(10000000000);
    char *text = view(profile, PH_HEAP_INUSE_SPACE, 20, 0);
    expect_line(text, "process 7: inuse_space changed by -800.0 MiB in 10s");
    free(text);
    ph_profile_free(profile);
}

static void few_samples_are_called_few(void **state)
{
    struct ph_profile *profile = new_profile(512 << 10);
    add(profile, "load", 16, 16 * 64 * MIB);
    char *text = view(profile, PH_HEAP_INUSE_SPACE, 20, 0);
    expect_line(text, "one sample every 512 KiB: about 16 samples in 1 stack");
    expect_line(text, "Few samples: figures may be off by 25%; a smaller PORTHOLE_HEAP_SAMPLE sees more");
    free(text);
    add(profile, "load", 16, 16 * 64 * MIB);
    text = view(profile, PH_HEAP_INUSE_SPACE, 20, 0);
    assert_null(strstr(text, "Few"));
    free(text);
    ph_profile_free(profile);
}

static void where_every_allocation_is_counted_nothing_is_rough(void **state)
{
    struct ph_profile *profile = new_profile(1);
    add(profile, "load", 3, 3 * MIB);
    char *text = view(profile, PH_HEAP_INUSE_SPACE, 20, 0);
    expect_line(text, "every allocation counted in 1 stack");
    assert_null(strstr(text, "Few"));
    free(text);
    ph_profile_free(profile);
}

static void a_profile_of_other_types_has_no_known_rate(void **state)
{
    struct ph_profile *profile = ph_profile_new();
    ph_profile_add_type(profile, "inuse_space", "bytes");
    assert_true(ph_heap_sampled_count(profile, 0) < 0);
    int64_t value = MIB;
    uint32_t frame = ph_profile_add_location(profile, 0, 0x1000, false, NULL, 0);
    ph_profile_add_sample(profile, &frame, 1, NULL, 0, &value);
    char *text = view(profile, 0, 20, 0);
    expect_line(text, "samples of unknown rate in 1 stack");
    free(text);
    ph_profile_free(profile);
}

static void the_heading_names_program_and_time(void **state)
{
    struct ph_profile *profile = new_profile(512 << 10);
    struct ph_mapping mapping = {.start = 1, .limit = 2, .file = ph_profile_string(profile, "/usr/sbin/ngi\x1bnx")};
    ph_profile_add_mapping(profile, &mapping);
    profile->time_ns = INT64_C(1785000000) * 1000000000;
    setenv("TZ", "UTC0", 1);
    tzset();
    char *text = view(profile, PH_HEAP_INUSE_SPACE, 20, 0);
    expect_line(text, "process 7 (ngi\\x1bnx): inuse_space 0 B");
    assert_non_null(strstr(text, "taken 2026-07-25 17:20:00; one sample every 512 KiB"));
    free(text);
    ph_profile_free(profile);
}

static void a_process_bears_the_name_it_is_known_by(void **state)
{
    struct ph_profile *profile = new_profile(512 << 10);
    struct ph_buf out = PH_BUF_INIT;
    struct ph_heap_view asked = {profile, PH_HEAP_INUSE_SPACE, "process 7", 5, 0, "redis-server", false};
    assert_int_equal(ph_heap_view_write(&asked, &out), 0);
    assert_non_null(strstr(out.data, "process 7 (redis-server): "));
    ph_buf_fini(&out);
    ph_profile_free(profile);
}

static void rows_are_cut_to_the_width_asked_for(void **state)
{
    struct ph_profile *profile = new_profile(512 << 10);
    add(profile, "a_function_with_a_long_name", 1, 64 * MIB);
    char *text = view(profile, PH_HEAP_INUSE_SPACE, 20, 50);
    assert_non_null(strstr(text, "  a_function_...\n"));
    free(text);
    ph_profile_free(profile);
}

/* ---- families ---- */

static void add_of(struct ph_profile *profile, const char *leaf, int64_t mib, const char *pid, bool is_inherited)
{
    struct ph_function function = {.name = ph_profile_string(profile, leaf)};
    struct ph_line line = {.function = ph_profile_add_function(profile, &function)};
    uint32_t frame = ph_profile_add_location(profile, 0, 0, false, &line, 1);
    struct ph_label labels[2];
    uint32_t count = 0;
    if (is_inherited)
        labels[count++] = (struct ph_label){.key = ph_profile_string(profile, "origin"),
                                            .text = ph_profile_string(profile, "inherited")};
    if (pid)
        labels[count++] =
            (struct ph_label){.key = ph_profile_string(profile, "pid"), .text = ph_profile_string(profile, pid)};
    int64_t values[] = {100 * mib, 100 * mib * MIB, mib, mib * MIB};
    ph_profile_add_sample(profile, &frame, 1, labels, count, values);
}

static struct ph_profile *new_family(void)
{
    struct ph_profile *profile = new_profile(512 << 10);
    add_of(profile, "load", 100, "100", false);
    add_of(profile, "serve", 40, "102", false);
    add_of(profile, "parse", 30, "102", false);
    add_of(profile, "load", 10, "102", true);
    add_of(profile, "serve", 20, "101", false);
    ph_profile_add_comment(profile, "process 100, started 1");
    ph_profile_add_comment(profile, "process 101, started 2");
    ph_profile_add_comment(profile, "process 102, started 3");
    ph_profile_add_comment(profile, "process 103, started 4");
    return profile;
}

static char *view_by_pid(const struct ph_profile *profile, size_t row_count)
{
    struct ph_buf out = PH_BUF_INIT;
    struct ph_heap_view asked = {profile, PH_HEAP_INUSE_SPACE, "process 100", row_count, 0, NULL, true};
    assert_int_equal(ph_heap_view_write(&asked, &out), 0);
    return ph_buf_take(&out, NULL);
}

static void of_a_family_the_functions_of_all_processes_are_one_table(void **state)
{
    struct ph_profile *profile = new_family();
    char *text = view(profile, PH_HEAP_INUSE_SPACE, 20, 0);
    expect_line(text, "4 processes: memory that they inherited over fork() counts once; --by pid tells them apart");
    expect_line(text, "110.0 MiB  55.0%  110.0 MiB  55.0%  load");
    expect_line(text, " 60.0 MiB  30.0%   60.0 MiB  30.0%  serve");
    assert_null(strstr(text, "Missing"));
    free(text);
    ph_profile_free(profile);
}

static void by_pid_each_process_is_a_row(void **state)
{
    struct ph_profile *profile = new_family();
    char *text = view_by_pid(profile, 20);
    expect_line(text, "4 processes: memory that they inherited over fork() counts once");
    expect_line(text, "Showing 4 of 4 processes");
    expect_line(text, "pid      total  total%        own  inherited  samples  most of it in");
    expect_line(text, "100  100.0 MiB   50.0%  100.0 MiB        0 B       86  load");
    expect_line(text, "102   80.0 MiB   40.0%   70.0 MiB   10.0 MiB       69  serve");
    expect_line(text, "101   20.0 MiB   10.0%   20.0 MiB        0 B       17  serve");
    expect_line(text, "103        0 B    0.0%        0 B        0 B        0");
    free(text);
    text = view_by_pid(profile, 1);
    expect_line(text, "Showing 1 of 4 processes");
    assert_null(strstr(text, "\n102"));
    free(text);
    ph_profile_free(profile);
}

static void a_process_whose_part_is_missing_is_told_above_the_table(void **state)
{
    struct ph_profile *profile = new_family();
    ph_profile_add_comment(profile, "process 104 (ngi\x1bnx) did not answer in 2.0 s");
    ph_profile_add_comment(profile, "process 105 (nginx) has ended, or runs another program now");
    char *text = view(profile, PH_HEAP_INUSE_SPACE, 20, 0);
    expect_line(text, "Missing: process 104 (ngi\\x1bnx) did not answer in 2.0 s");
    assert_null(strstr(text, "105"));
    free(text);
    ph_profile_free(profile);
}

static void of_one_process_it_is_told_how_much_it_inherited(void **state)
{
    struct ph_profile *profile = new_profile(512 << 10);
    add_of(profile, "serve", 40, NULL, false);
    add_of(profile, "load", 100, NULL, true);
    ph_profile_add_comment(profile, "process 102, started 3");
    char *text = view(profile, PH_HEAP_INUSE_SPACE, 20, 0);
    expect_line(text, "100.0 MiB of it inherited over fork(), and counted in its parent, too");
    free(text);
    text = view_by_pid(profile, 20);
    expect_line(text, "102  140.0 MiB  100.0%  40.0 MiB  100.0 MiB      121  load");
    free(text);
    ph_profile_free(profile);
}

static void a_profile_that_does_not_tell_of_processes_has_no_rows_by_pid(void **state)
{
    struct ph_profile *profile = new_profile(512 << 10);
    struct ph_buf out = PH_BUF_INIT;
    add(profile, "load", 3, 3 * MIB);
    struct ph_heap_view asked = {profile, PH_HEAP_INUSE_SPACE, "heap.pb", 20, 0, NULL, true};
    assert_int_equal(ph_heap_view_write(&asked, &out), -ENODATA);
    ph_buf_fini(&out);
    ph_profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_tells_flat_and_cumulative_values),
        cmocka_unit_test(counts_are_not_bytes),
        cmocka_unit_test(only_the_largest_are_shown_and_the_rest_is_counted),
        cmocka_unit_test(what_is_freed_is_not_shown),
        cmocka_unit_test(an_empty_heap_is_said_to_be_empty),
        cmocka_unit_test(samples_are_counted_back_from_unbiased_values),
        cmocka_unit_test(a_difference_rests_on_the_samples_of_both_sides),
        cmocka_unit_test(few_samples_are_called_few),
        cmocka_unit_test(where_every_allocation_is_counted_nothing_is_rough),
        cmocka_unit_test(a_profile_of_other_types_has_no_known_rate),
        cmocka_unit_test(the_heading_names_program_and_time),
        cmocka_unit_test(a_process_bears_the_name_it_is_known_by),
        cmocka_unit_test(rows_are_cut_to_the_width_asked_for),
        cmocka_unit_test(of_a_family_the_functions_of_all_processes_are_one_table),
        cmocka_unit_test(by_pid_each_process_is_a_row),
        cmocka_unit_test(a_process_whose_part_is_missing_is_told_above_the_table),
        cmocka_unit_test(of_one_process_it_is_told_how_much_it_inherited),
        cmocka_unit_test(a_profile_that_does_not_tell_of_processes_has_no_rows_by_pid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
