/* What the report looks like is in tests/golden/diff_*.txt. */
#include "base/visible.h"
#include "golden.h"
#include "report_fixture.h"
#include "tools/diff_text.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct ph_diff_view view_of(size_t width)
{
    return (struct ph_diff_view){.width = width, .has_utf8 = true, .top_count = 10};
}

static char *text_of(struct ph_growth_report *report, struct ph_diff_view view)
{
    struct ph_buf out = PH_BUF_INIT;
    assert_int_equal(ph_diff_text_write(report, &view, &out), 0);
    report_fixture_free(report);
    return ph_buf_take(&out, NULL);
}

static void expect_golden(const char *name, struct ph_growth_report *report, struct ph_diff_view view)
{
    char *text = text_of(report, view);
    golden_expect(name, text);
    free(text);
}

static void a_series_fits_a_terminal_of_80_columns(void **state)
{
    expect_golden("diff_80.txt", report_of_series(), view_of(80));
}

static void a_series_uses_the_room_of_120_columns(void **state)
{
    expect_golden("diff_120.txt", report_of_series(), view_of(120));
}

static void a_pipe_gets_ascii_that_is_not_cut(void **state)
{
    expect_golden("diff_pipe.txt", report_of_series(), (struct ph_diff_view){.top_count = 10});
}

static void two_profiles_say_what_they_do_not_tell(void **state)
{
    expect_golden("diff_pair.txt", report_of_pair(), view_of(80));
}

static void nothing_that_grew_is_said_in_a_sentence(void **state)
{
    char *text = text_of(report_of_nothing(), view_of(80));
    assert_non_null(strstr(text, "within sampling noise"));
    assert_non_null(strstr(text, "\nNo call site grew by more than sampling noise.\n"));
    assert_null(strstr(text, "What grew"));
    assert_null(strstr(text, "Not decided"));
    free(text);
}

static void growth_that_no_site_explains_is_said(void **state)
{
    struct ph_growth_report *report = report_of_nothing();
    report->summary.total_low = 1e6;
    report->summary.total_high = 2e6;
    char *text = text_of(report, view_of(0));
    assert_non_null(strstr(text, "no single call site by as much as --min asks for"));
    assert_non_null(strstr(text, "more than sampling noise (95%: +976.6 KiB to +1.9 MiB)"));
    free(text);
}

static void noise_concentrates_nowhere(void **state)
{
    struct ph_growth_report *report = report_of_series();
    for (int label = PH_GROWTH_PLATEAU; label < PH_GROWTH_LABEL_COUNT; label++)
        report->summary.label_counts[label] = 0;
    report->site_count = 0;
    report->summary.total_low = -1;
    char *text = text_of(report, view_of(0));
    assert_null(strstr(text, "concentrates"));
    assert_null(strstr(text, "of all growth"));
    free(text);
}

static void of_many_undecided_sites_a_few_are_named(void **state)
{
    struct ph_growth_report *report = report_of_series();
    struct ph_growth_site *sites = ph_arena_alloc(&report->memory, 20 * sizeof(*sites));
    for (size_t i = 0; i < 20; i++)
        sites[i] = report->sites[4];
    report->sites = sites;
    report->site_count = report->summary.label_counts[PH_GROWTH_INSUFFICIENT] = 20;
    char *text = text_of(report, view_of(0));
    assert_non_null(strstr(text, "20 call sites grew, but on too few samples to tell, such as +3.0 MiB in "
                                 "libplugin.so+0x1f00 (about 6), +3.0 MiB in libplugin.so+0x1f00 (about 6), "
                                 "+3.0 MiB in libplugin.so+0x1f00 (about 6). More"));
    free(text);
}

/* Every function and module has a name that would repaint the terminal. */
static struct ph_growth_report *hostile_report(void)
{
    struct ph_growth_report *report = report_of_series();
    for (size_t i = 0; i < report->frame_count; i++)
        report->frames[i].function = report->frames[i].file = report->frames[i].module = "\x1b[2J\r\n\xff<b>";
    for (size_t i = 0; i < report->profile_count; i++)
        report->profiles[i].name = "\x1b]0;x\x07";
    report->warnings[0] = "\x1b[31m\n";
    return report;
}

static void names_cannot_repaint_the_terminal(void **state)
{
    static const size_t widths[] = {0, 20, 80, 200};
    for (size_t i = 0; i < 4; i++) {
        char *text = text_of(hostile_report(), view_of(widths[i]));
        for (const char *c = text; *c; c++)
            assert_true((unsigned char)*c >= ' ' || *c == '\n');
        assert_null(strchr(text, '\x7f'));
        free(text);
    }
}

static void no_line_is_wider_than_asked(void **state)
{
    for (size_t width = 1; width < 140; width++) {
        char *text = text_of(width % 2 ? report_of_series() : hostile_report(),
                             (struct ph_diff_view){.width = width, .has_utf8 = width % 3 == 0, .top_count = 10});
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
            assert_true(ph_visible_width(line) <= width);
        free(text);
    }
}

static void colour_changes_nothing_but_colour(void **state)
{
    char *plain = text_of(report_of_series(), view_of(80));
    char *coloured =
        text_of(report_of_series(),
                (struct ph_diff_view){.width = 80, .has_colour = true, .has_utf8 = true, .top_count = 10});
    char *to = coloured;
    size_t code_count = 0;
    for (const char *from = coloured; *from; from++) {
        if (*from == '\x1b') {
            code_count++;
            from = strchr(from, 'm');
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
    assert_true(code_count > 10 && code_count % 2 == 0);
    assert_string_equal(coloured, plain);
    free(plain);
    free(coloured);
}

static void only_the_top_is_shown_and_the_rest_counted(void **state)
{
    char *text = text_of(report_of_series(), (struct ph_diff_view){.width = 80, .has_utf8 = true, .top_count = 1});
    assert_non_null(strstr(text, "session_new (session.c:41)"));
    assert_null(strstr(text, "cache_insert (cache.c"));
    assert_non_null(strstr(text, "2 more: --top 3 shows all\n"));
    free(text);
}

static size_t line_count(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

static void a_screen_shows_as_many_sites_as_leave_room_for_the_rest(void **state)
{
    struct ph_diff_view view = {.width = 120, .has_utf8 = true};
    char *all = text_of(report_of_series(), view);
    view.height = line_count(all) + 1;
    char *fitting = text_of(report_of_series(), view);
    assert_string_equal(fitting, all);
    view.height = line_count(all) - 4;
    char *less = text_of(report_of_series(), view);
    assert_true(line_count(less) < view.height);
    assert_non_null(strstr(less, "session_new (session.c:41)"));
    view.height = 1;
    char *least = text_of(report_of_series(), view);
    assert_non_null(strstr(least, "2 more: --top 3 shows all\n"));
    assert_null(strstr(least, "\n\n"));
    free(all);
    free(fitting);
    free(less);
    free(least);
}

static void a_call_site_that_is_reached_in_two_ways_is_one_place(void **state)
{
    struct ph_growth_report *report = report_of_series();
    static const uint32_t path[] = {1, 0};
    for (size_t i = 0; i < report->inflection_count; i++) {
        report->inflections[i].frames = path;
        report->inflections[i].fan_out = report->inflections[i].child_count = 0;
        report->inflections[i].share = 0.3;
    }
    char *text = text_of(report, view_of(80));
    assert_non_null(strstr(text, "60.0% of all growth is in session_new."));
    free(text);
}

static void numbers_that_are_missing_do_no_harm(void **state)
{
    struct ph_growth_report *report = report_of_series();
    for (size_t i = 0; i < report->site_count; i++) {
        struct ph_verdict *verdict = &report->sites[i].verdict;
        verdict->low = verdict->rate_per_second = verdict->onset_low = NAN;
        verdict->high = INFINITY;
        report->sites[i].frame_count = 0;
    }
    for (size_t i = 0; i < report->inflection_count; i++)
        report->inflections[i].frame_count = i ? 1 : 0;
    report->summary.total_low = report->summary.total_high = NAN;
    char *text =
        text_of(report, (struct ph_diff_view){.width = 80, .has_colour = true, .has_utf8 = true, .top_count = 10});
    assert_non_null(strstr(text, "±?"));
    assert_null(strstr(text, "nan"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_series_fits_a_terminal_of_80_columns),
        cmocka_unit_test(a_series_uses_the_room_of_120_columns),
        cmocka_unit_test(a_pipe_gets_ascii_that_is_not_cut),
        cmocka_unit_test(two_profiles_say_what_they_do_not_tell),
        cmocka_unit_test(nothing_that_grew_is_said_in_a_sentence),
        cmocka_unit_test(growth_that_no_site_explains_is_said),
        cmocka_unit_test(noise_concentrates_nowhere),
        cmocka_unit_test(of_many_undecided_sites_a_few_are_named),
        cmocka_unit_test(names_cannot_repaint_the_terminal),
        cmocka_unit_test(no_line_is_wider_than_asked),
        cmocka_unit_test(colour_changes_nothing_but_colour),
        cmocka_unit_test(only_the_top_is_shown_and_the_rest_counted),
        cmocka_unit_test(a_screen_shows_as_many_sites_as_leave_room_for_the_rest),
        cmocka_unit_test(a_call_site_that_is_reached_in_two_ways_is_one_place),
        cmocka_unit_test(numbers_that_are_missing_do_no_harm),
    };
    setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
