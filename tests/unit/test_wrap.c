#include "tools/wrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

static void expect(const char *text, size_t at, size_t indent, size_t width, const char *wrapped)
{
    char *got;
    size_t size_bytes;
    FILE *out = open_memstream(&got, &size_bytes);
    assert_non_null(out);
    ph_wrap(text, at, indent, width, out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(got, wrapped);
    free(got);
}

static void lines_are_filled_up_to_the_width(void **state)
{
    expect("one two three", 0, 0, 7, "one two\nthree\n");
    expect("one two three", 0, 0, 6, "one\ntwo\nthree\n");
}

static void every_line_is_indented(void **state)
{
    expect("one two three", 0, 2, 9, "  one two\n  three\n");
}

static void the_first_line_goes_on_where_the_cursor_stands(void **state)
{
    expect("one two", 3, 6, 9, "   one\n      two\n");
}

static void a_head_that_fills_the_indent_gets_a_line_of_its_own(void **state)
{
    expect("one", 5, 6, 20, "\n      one\n");
}

static void a_word_that_is_too_long_stands_alone(void **state)
{
    expect("a monster b", 0, 0, 4, "a\nmonster\nb\n");
}

static void line_ends_in_the_text_are_kept(void **state)
{
    expect("one\ntwo", 0, 1, 80, " one\n two\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_filled_up_to_the_width),
        cmocka_unit_test(every_line_is_indented),
        cmocka_unit_test(the_first_line_goes_on_where_the_cursor_stands),
        cmocka_unit_test(a_head_that_fills_the_indent_gets_a_line_of_its_own),
        cmocka_unit_test(a_word_that_is_too_long_stands_alone),
        cmocka_unit_test(line_ends_in_the_text_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
