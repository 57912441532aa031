#include "model/labels.h"
#include "rich.h"
#include "tools/cpu_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)

static struct ph_profile *new_profile(const char *kind)
{
    struct ph_profile *profile = ph_profile_new();
    ph_profile_add_type(profile, "samples", "count");
    ph_profile_add_type(profile, kind, "nanoseconds");
    profile->period_type =
        (struct ph_value_type){ph_profile_string(profile, kind), ph_profile_string(profile, "nanoseconds")};
    profile->period = SECOND / 100;
    profile->duration_ns = 10 * SECOND;
    return profile;
}

/* @count samples of @leaf called by main, of a thread of a process; 0 for no label. */
static void add(struct ph_profile *profile, const char *leaf, int64_t count, int64_t tid, const char *pid)
{
    uint32_t frames[] = {rich_named(profile, leaf), rich_named(profile, "main")}, label_count = 0;
    struct ph_label labels[3];
    if (tid) {
        labels[label_count++] = (struct ph_label){.key = ph_profile_string(profile, PH_LABEL_THREAD),
                                                  .text = ph_profile_string(profile, tid == 7 ? "seven" : "other")};
        labels[label_count++] = (struct ph_label){.key = ph_profile_string(profile, PH_LABEL_TID), .number = tid};
    }
    if (pid)
        labels[label_count++] = (struct ph_label){.key = ph_profile_string(profile, PH_LABEL_PID),
                                                  .text = ph_profile_string(profile, pid)};
    ph_profile_add_sample(profile, frames, 2, labels, label_count, (const int64_t[]){count, count * SECOND / 100});
}

static int write_by(struct ph_profile *profile, enum ph_cpu_by by, struct ph_buf *out)
{
    struct ph_cpu_view view = {.profile = profile, .subject = "process 7", .by = by, .row_count = 2};
    int type = ph_cpu_type(profile);
    assert_true(type >= 0);
    view.type = (uint32_t)type;
    return ph_cpu_view_write(&view, out);
}

static void expect(struct ph_profile *take_profile, enum ph_cpu_by by, const char *text)
{
    struct ph_buf out = PH_BUF_INIT;
    assert_int_equal(write_by(take_profile, by, &out), 0);
    assert_string_equal(out.data, text);
    ph_buf_fini(&out);
    ph_profile_free(take_profile);
}

static void the_heading_tells_how_busy_the_processors_were(void **state)
{
    struct ph_profile *profile = new_profile("cpu");
    add(profile, "parse", 600, 0, NULL);
    add(profile, "load", 200, 0, NULL);
    expect(profile, PH_CPU_BY_FUNCTION,
           "process 7: cpu 8.00s in 10.0s: 80.0% of one processor\n"
           "one sample every 10.0ms: 800 samples in 2 stacks\n"
           "Showing 2 of 3 functions\n\n"
           " flat  flat%    cum   cum%  function\n"
           "6.00s  75.0%  6.00s  75.0%  parse\n"
           "2.00s  25.0%  2.00s  25.0%  load\n");
}

static void more_than_one_processor_is_counted_in_processors(void **state)
{
    struct ph_profile *profile = new_profile("cpu");
    add(profile, "parse", 3520, 0, NULL);
    struct ph_buf out = PH_BUF_INIT;
    assert_int_equal(write_by(profile, PH_CPU_BY_FUNCTION, &out), 0);
    assert_non_null(strstr(out.data, "cpu 35.2s in 10.0s: 3.52 processors busy\n"));
    ph_buf_fini(&out);
    ph_profile_free(profile);
}

static void wall_time_tells_how_many_threads_there_were(void **state)
{
    struct ph_profile *profile = new_profile("wall");
    add(profile, "epoll_wait", 4000, 0, NULL);
    struct ph_buf out = PH_BUF_INIT;
    assert_int_equal(write_by(profile, PH_CPU_BY_FUNCTION, &out), 0);
    assert_non_null(strstr(out.data, "wall 40.0s in 10.0s: 4.0 threads on average\n"));
    ph_buf_fini(&out);
    ph_profile_free(profile);
}

static void threads_tell_what_they_did_most(void **state)
{
    struct ph_profile *profile = new_profile("cpu");
    add(profile, "parse", 100, 7, NULL);
    add(profile, "load", 200, 7, NULL);
    add(profile, "parse", 100, 8, NULL);
    add(profile, "idle", 1, 9, NULL);
    expect(profile, PH_CPU_BY_THREAD,
           "process 7: cpu 4.01s in 10.0s: 40.1% of one processor\n"
           "one sample every 10.0ms: 401 samples in 4 stacks\n"
           "Showing 2 of 3 threads\n\n"
           "tid  thread   time  time%  samples  most of it in\n"
           "  7  seven   3.00s  74.8%      300  load\n"
           "  8  other   1.00s  24.9%      100  parse\n");
}

static void processes_that_did_nothing_have_a_row_too(void **state)
{
    struct ph_profile *profile = new_profile("cpu");
    add(profile, "parse", 300, 0, "21");
    ph_profile_add_comment(profile, "process 20, started 1784000000000000000");
    ph_profile_add_comment(profile, "process 21, started 1784000000000000001");
    expect(profile, PH_CPU_BY_PID,
           "process 7: cpu 3.00s in 10.0s: 30.0% of one processor\n"
           "2 processes\n"
           "one sample every 10.0ms: 300 samples in 1 stack\n"
           "Showing 2 of 2 processes\n\n"
           "pid   time   time%  samples  most of it in\n"
           " 21  3.00s  100.0%      300  parse\n"
           " 20     0s    0.0%        0\n");
}

static void the_only_process_needs_no_label(void **state)
{
    struct ph_profile *profile = new_profile("cpu");
    struct ph_buf out = PH_BUF_INIT;
    add(profile, "parse", 300, 0, NULL);
    ph_profile_add_comment(profile, "process 20, started 1784000000000000000");
    assert_int_equal(write_by(profile, PH_CPU_BY_PID, &out), 0);
    assert_non_null(strstr(out.data, " 20  3.00s  100.0%      300  parse\n"));
    ph_buf_fini(&out);
    ph_profile_free(profile);
}

static void threads_that_nobody_tells_of_are_an_error(void **state)
{
    struct ph_profile *profile = new_profile("cpu");
    struct ph_buf out = PH_BUF_INIT;
    add(profile, "parse", 300, 0, NULL);
    assert_int_equal(write_by(profile, PH_CPU_BY_THREAD, &out), -ENODATA);
    assert_int_equal(write_by(profile, PH_CPU_BY_PID, &out), -ENODATA);
    ph_buf_fini(&out);
    ph_profile_free(profile);
}

static void what_was_lost_is_told_and_versions_are_not(void **state)
{
    struct ph_profile *profile = new_profile("cpu");
    struct ph_buf out = PH_BUF_INIT;
    add(profile, "parse", 5, 0, NULL);
    ph_profile_add_comment(profile, "porthole 0.1.0");
    ph_profile_add_comment(profile, "process 20, started 1784000000000000000");
    ph_profile_add_comment(profile, "process 21 (nginx) did not answer in 2 s");
    ph_profile_add_comment(profile, "lost \x1b[2J: 12 samples");
    assert_int_equal(write_by(profile, PH_CPU_BY_FUNCTION, &out), 0);
    assert_non_null(
        strstr(out.data, "\nMissing: process 21 (nginx) did not answer in 2 s\nNote: lost \\x1b[2J: 12 samples\n"));
    assert_non_null(strstr(out.data, "\nFew samples: "));
    assert_null(strstr(out.data, "0.1.0"));
    assert_null(strstr(out.data, "started"));
    ph_buf_fini(&out);
    ph_profile_free(profile);
}

static void of_many_notes_the_first_are_told(void **state)
{
    struct ph_profile *profile = new_profile("cpu");
    struct ph_buf out = PH_BUF_INIT;
    for (char i = 'a'; i < 'z'; i++)
        ph_profile_add_comment(profile, (const char[]){i, '\0'});
    assert_int_equal(write_by(profile, PH_CPU_BY_FUNCTION, &out), 0);
    assert_non_null(strstr(out.data, "Note: h\nNote: and 17 more such\n"));
    ph_buf_fini(&out);
    ph_profile_free(profile);
}

static void only_profiles_of_time_are_taken(void **state)
{
    struct ph_profile *heap = rich_heap(512 << 10), *strange = ph_profile_new(), *samples = ph_profile_new();
    ph_profile_add_type(strange, "cpu", "bytes");
    ph_profile_add_type(samples, "samples", "count");
    assert_int_equal(ph_cpu_type(heap), -1);
    assert_int_equal(ph_cpu_type(strange), -1);
    assert_int_equal(ph_cpu_type(samples), 0);
    ph_profile_free(heap);
    ph_profile_free(strange);
    ph_profile_free(samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_heading_tells_how_busy_the_processors_were),
        cmocka_unit_test(more_than_one_processor_is_counted_in_processors),
        cmocka_unit_test(wall_time_tells_how_many_threads_there_were),
        cmocka_unit_test(threads_tell_what_they_did_most),
        cmocka_unit_test(processes_that_did_nothing_have_a_row_too),
        cmocka_unit_test(the_only_process_needs_no_label),
        cmocka_unit_test(threads_that_nobody_tells_of_are_an_error),
        cmocka_unit_test(what_was_lost_is_told_and_versions_are_not),
        cmocka_unit_test(of_many_notes_the_first_are_told),
        cmocka_unit_test(only_profiles_of_time_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
