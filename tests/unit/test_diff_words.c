#include "report_fixture.h"
#include "tools/diff_words.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define MIB 1048576.0

static void amounts_have_the_unit_of_their_metric(void **state)
{
    assert_string_equal(ph_diff_amount(PH_HEAP_INUSE_SPACE, 44 * MIB).text, "44.0 MiB");
    assert_string_equal(ph_diff_amount(PH_HEAP_ALLOC_OBJECTS, 1234567).text, "1,234,567");
    assert_string_equal(ph_diff_change(PH_HEAP_INUSE_SPACE, 44 * MIB).text, "+44.0 MiB");
    assert_string_equal(ph_diff_change(PH_HEAP_INUSE_SPACE, -44 * MIB).text, "-44.0 MiB");
    assert_string_equal(ph_diff_change(PH_HEAP_INUSE_OBJECTS, 0).text, "0");
    assert_string_equal(ph_diff_change(PH_HEAP_INUSE_SPACE, 0.2).text, "0 B");
}

static void what_is_not_known_is_a_question_mark(void **state)
{
    struct ph_growth_report *report = report_of_series();
    assert_string_equal(ph_diff_change(PH_HEAP_INUSE_SPACE, NAN).text, "?");
    assert_string_equal(ph_diff_amount(PH_HEAP_INUSE_SPACE, INFINITY).text, "?");
    assert_string_equal(ph_diff_rate(report, NAN).text, "?");
    assert_string_equal(ph_diff_time(report, NAN).text, "?");
    report_fixture_free(report);
}

static void percentages_of_nothing_are_none(void **state)
{
    assert_string_equal(ph_diff_percent(1, 3).text, "33.3%");
    assert_string_equal(ph_diff_percent_change(1, 3).text, "+33.3%");
    assert_string_equal(ph_diff_percent_change(-1, 3).text, "-33.3%");
    assert_string_equal(ph_diff_percent(1, 0).text, "-");
    assert_string_equal(ph_diff_percent(NAN, 1).text, "-");
    assert_string_equal(ph_diff_percent(1234.5, 10).text, "12345%");
    assert_string_equal(ph_diff_percent(1e12, 1).text, "1e+14%");
}

static void a_rate_chooses_its_unit_of_time(void **state)
{
    struct ph_growth_report *report = report_of_series();
    assert_string_equal(ph_diff_rate(report, 2 * MIB).text, "+2.0 MiB/s");
    assert_string_equal(ph_diff_rate(report, 2 * MIB / 60).text, "+2.0 MiB/min");
    assert_string_equal(ph_diff_rate(report, 2 * MIB / 3600).text, "+2.0 MiB/h");
    assert_string_equal(ph_diff_rate(report, -2 * MIB / 86400).text, "-2.0 MiB/day");
    assert_string_equal(ph_diff_rate(report, 1024.0 / 86400).text, "+1.0 KiB/day");
    report->metric = PH_HEAP_INUSE_OBJECTS;
    assert_string_equal(ph_diff_rate(report, 0.5).text, "+30/min");
    report_fixture_free(report);
}

static void times_are_those_of_the_clock(void **state)
{
    struct ph_growth_report *report = report_of_series();
    assert_string_equal(ph_diff_time(report, 95.4).text, "03:01:35");
    report->profiles[report->profile_count - 1].seconds = 2 * 86400;
    assert_string_equal(ph_diff_time(report, 86400).text, "Nov 24 03:00");
    assert_string_equal(ph_diff_span(report, 95).text, "1m 35s");
    report_fixture_free(report);
}

static void without_times_there_are_profiles(void **state)
{
    struct ph_growth_report *report = report_of_pair();
    assert_string_equal(ph_diff_time(report, 1).text, "profile 2");
    assert_string_equal(ph_diff_span(report, 1).text, "1 profile");
    assert_string_equal(ph_diff_span(report, 2).text, "2 profiles");
    assert_string_equal(ph_diff_rate(report, 3 * MIB).text, "+3.0 MiB a profile");
    report_fixture_free(report);
}

static void two_profiles_do_not_tell_that_it_still_grows(void **state)
{
    struct ph_growth_report *pair = report_of_pair(), *series = report_of_series();
    assert_string_equal(ph_diff_label_words(pair, PH_GROWTH_GROWING), "grew");
    assert_string_equal(ph_diff_label_words(series, PH_GROWTH_GROWING), "growing");
    assert_string_equal(ph_diff_label_words(pair, PH_GROWTH_NOISE), "noise");
    report_fixture_free(pair);
    report_fixture_free(series);
}

static void expect_frame(void (*words)(const struct ph_growth_report *, uint32_t, struct ph_buf *), uint32_t frame,
                         const char *expected)
{
    struct ph_growth_report *report = report_of_series();
    struct ph_buf out = PH_BUF_INIT;
    words(report, frame, &out);
    assert_string_equal(out.data ? out.data : "", expected);
    ph_buf_fini(&out);
    report_fixture_free(report);
}

static void functions_are_demangled_and_have_a_place(void **state)
{
    expect_frame(ph_diff_function, 4, "std::vector<int, std::allocator<int> >::push_back(int&&)");
    expect_frame(ph_diff_function, 0, "session_new");
    expect_frame(ph_diff_place, 0, "session.c:41");
    expect_frame(ph_diff_place, 3, "libc.so.6");
    expect_frame(ph_diff_place, 9, "");  /* libplugin.so+0x1f00 in libplugin.so */
    expect_frame(ph_diff_place, 10, ""); /* nothing is known */
}

/* The place that ph_diff_own_frame() finds in a stack of @count frames, all but the start_thread of their root. */
static uint32_t own_of(const struct ph_growth_frame *frames, uint32_t count)
{
    static const uint32_t stack[] = {0, 1, 2, 3, 4, 5};
    struct ph_growth_report report = {.frames = (struct ph_growth_frame *)frames, .frame_count = count};
    return ph_diff_own_frame(&report, stack, count);
}

static struct ph_growth_frame frame(const char *function, const char *module)
{
    return (struct ph_growth_frame){.function = function, .module = module, .file = "", .build_id = ""};
}

static void own_code_comes_before_allocators_and_standard_libraries(void **state)
{
    const struct ph_growth_frame c[] = {frame("malloc", "libc.so.6"), frame("strdup", "libc.so.6"),
                                        frame("session_new", "leaky")};
    const struct ph_growth_frame cxx[] = {
        frame("_Znwm", "app"),
        frame("_ZNSt6vectorIiSaIiEE17_M_realloc_insertIJiEEEvN9__gnu_cxx17__normal_iteratorIPiS1_EEDpOT_", "app"),
        frame("_ZN3app4loadEv", "app")};
    const struct ph_growth_frame rust[] = {frame("__rust_alloc", "app"),
                                           frame("_ZN5alloc7raw_vec11finish_grow17h0123456789abcdefE", "app"),
                                           frame("_RNvCs1234_7mycrate3foo", "app")};
    const struct ph_growth_frame redis[] = {frame("ztrymalloc_usable", "redis-server"),
                                            frame("zmalloc", "redis-server"), frame("sdsnewlen", "redis-server")};
    const struct ph_growth_frame go[] = {frame("runtime.makeslice", "app"), frame("main.handle", "app")};
    assert_int_equal(own_of(c, 3), 2);
    assert_int_equal(own_of(cxx, 3), 2);
    assert_int_equal(own_of(rust, 3), 2);
    assert_int_equal(own_of(redis, 3), 2);
    assert_int_equal(own_of(go, 2), 1);
}

static void a_stack_without_own_code_begins_at_its_leaf(void **state)
{
    const struct ph_growth_frame frames[] = {frame("dl_new_object", "ld-linux-x86-64.so.2"),
                                             frame("dlopen", "libc.so.6"), frame("_start", "leaky")};
    assert_int_equal(own_of(frames, 2), 0);
    assert_int_equal(own_of(frames, 3), 0);
}

static void every_thread_begins_somewhere(void **state)
{
    const struct ph_growth_frame frames[] = {frame("__libc_start_main@@GLIBC_2.34", ""), frame("clone3", ""),
                                             frame("start_threads", ""), frame("cloned", "")};
    const struct ph_growth_report report = {.frames = (struct ph_growth_frame *)frames, .frame_count = 4};
    assert_true(ph_diff_is_start(&report, 0));
    assert_true(ph_diff_is_start(&report, 1));
    assert_false(ph_diff_is_start(&report, 2));
    assert_false(ph_diff_is_start(&report, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts_have_the_unit_of_their_metric),
        cmocka_unit_test(what_is_not_known_is_a_question_mark),
        cmocka_unit_test(percentages_of_nothing_are_none),
        cmocka_unit_test(a_rate_chooses_its_unit_of_time),
        cmocka_unit_test(times_are_those_of_the_clock),
        cmocka_unit_test(without_times_there_are_profiles),
        cmocka_unit_test(two_profiles_do_not_tell_that_it_still_grows),
        cmocka_unit_test(functions_are_demangled_and_have_a_place),
        cmocka_unit_test(own_code_comes_before_allocators_and_standard_libraries),
        cmocka_unit_test(a_stack_without_own_code_begins_at_its_leaf),
        cmocka_unit_test(every_thread_begins_somewhere),
    };
    setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
