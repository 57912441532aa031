#include "base/visible.h"
#include "tools/paint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct ph_buf out;

static struct ph_paint paint(size_t width, bool has_colour, bool has_utf8)
{
    ph_buf_fini(&out);
    return (struct ph_paint){.out = &out, .width = width, .has_colour = has_colour, .has_utf8 = has_utf8};
}

static void expect(const char *expected)
{
    assert_int_equal(ph_buf_status(&out), 0);
    assert_string_equal(out.data ? out.data : "", expected);
    ph_buf_fini(&out);
}

static void what_fits_is_written_as_it_is(void **state)
{
    struct ph_paint p = paint(10, false, false);
    ph_paint_text(&p, PH_STYLE_BAD, "12345");
    ph_paint_printf(&p, PH_STYLE_PLAIN, "%d", 67890);
    ph_paint_end(&p);
    ph_paint_text(&p, PH_STYLE_PLAIN, "again");
    expect("1234567890\nagain");
}

static void a_line_is_cut_once_and_says_so(void **state)
{
    struct ph_paint p = paint(8, false, false);
    ph_paint_text(&p, PH_STYLE_PLAIN, "1234567890");
    ph_paint_text(&p, PH_STYLE_PLAIN, "more");
    ph_paint_end(&p);
    ph_paint_text(&p, PH_STYLE_PLAIN, "next");
    expect("12345...\nnext");
    p = paint(8, false, true);
    ph_paint_text(&p, PH_STYLE_PLAIN, "ÄÖÜäöüß123");
    expect("ÄÖÜäöüß…");
}

static void without_a_width_nothing_is_cut(void **state)
{
    char text[5000];
    struct ph_paint p = paint(0, false, false);
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    ph_paint_text(&p, PH_STYLE_PLAIN, text);
    expect(text);
}

static void no_width_is_too_small(void **state)
{
    for (size_t width = 1; width < 5; width++) {
        struct ph_paint p = paint(width, true, false);
        ph_paint_text(&p, PH_STYLE_PLAIN, "123456");
        ph_paint_skip(&p, 3);
        ph_paint_wrapped(&p, PH_STYLE_PLAIN, 9, "some words to wrap");
        assert_int_equal(ph_buf_status(&out), 0);
        for (char *line = strtok(out.data, "\n"); line; line = strtok(NULL, "\n"))
            assert_true(ph_visible_width(line) <= width);
    }
    ph_buf_fini(&out);
}

static void colours_end_where_they_belong_and_take_no_room(void **state)
{
    struct ph_paint p = paint(6, true, false);
    ph_paint_text(&p, PH_STYLE_BAD, "red");
    ph_paint_text(&p, PH_STYLE_PLAIN, "abc");
    expect("\x1b[1;31mred\x1b[0mabc");
    p = paint(6, false, false);
    ph_paint_text(&p, PH_STYLE_BAD, "red");
    expect("red");
}

static void control_characters_are_made_visible(void **state)
{
    struct ph_paint p = paint(0, true, true);
    ph_paint_text(&p, PH_STYLE_PLAIN, "a\x1b[31mb\nc");
    expect("a\\x1b[31mb\\x0ac");
    p = paint(0, false, true);
    ph_paint_wrapped(&p, PH_STYLE_PLAIN, 0, "\x1b]0;title\x07");
    expect("\\x1b]0;title\\x07\n");
    p = paint(0, false, true);
    ph_paint_if_it_fits(&p, "%s", "\x1b[2J");
    expect("\\x1b[2J");
}

static void words_wrap_under_their_indent(void **state)
{
    struct ph_paint p = paint(16, false, false);
    ph_paint_text(&p, PH_STYLE_PLAIN, "- ");
    ph_paint_wrapped(&p, PH_STYLE_PLAIN, 2, "the quick brown fox");
    ph_paint_wrapped(&p, PH_STYLE_PLAIN, 0, "");
    expect("- the quick\n  brown fox\n\n");
}

static void what_does_not_fit_as_a_whole_may_be_left_out(void **state)
{
    struct ph_paint p = paint(10, false, false);
    ph_paint_text(&p, PH_STYLE_PLAIN, "12345");
    ph_paint_if_it_fits(&p, ", %d", 1234);
    ph_paint_if_it_fits(&p, ", %d", 123);
    expect("12345, 123");
}

static void a_skip_goes_forward_only(void **state)
{
    struct ph_paint p = paint(0, false, false);
    ph_paint_text(&p, PH_STYLE_PLAIN, "ab");
    ph_paint_skip(&p, 1);
    ph_paint_skip(&p, 4);
    ph_paint_text(&p, PH_STYLE_PLAIN, "c");
    expect("ab  c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_is_written_as_it_is),
        cmocka_unit_test(a_line_is_cut_once_and_says_so),
        cmocka_unit_test(without_a_width_nothing_is_cut),
        cmocka_unit_test(no_width_is_too_small),
        cmocka_unit_test(colours_end_where_they_belong_and_take_no_room),
        cmocka_unit_test(control_characters_are_made_visible),
        cmocka_unit_test(words_wrap_under_their_indent),
        cmocka_unit_test(what_does_not_fit_as_a_whole_may_be_left_out),
        cmocka_unit_test(a_skip_goes_forward_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
