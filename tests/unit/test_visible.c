#include "base/visible.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static void expect(const char *text, const char *shown)
{
    struct ph_buf out = PH_BUF_INIT;
    ph_visible(&out, text);
    assert_string_equal(out.data ? out.data : "", shown);
    ph_buf_fini(&out);
}

static void plain_text_is_left_alone(void **state)
{
    expect("", "");
    expect("std::vector<int>::push_back(int&&)", "std::vector<int>::push_back(int&&)");
    expect("größe 大きさ 🙂", "größe 大きさ 🙂");
}

static void what_drives_a_terminal_is_written_out(void **state)
{
    expect("\x1b[31mred", "\\x1b[31mred");
    expect("a\nb\tc\x7f", "a\\x0ab\\x09c\\x7f");
    expect("\xc2\x9b"
           "31m",
           "\\xc2\\x9b31m");
    expect("\xe2\x80\xae"
           "gpj",
           "\\xe2\\x80\\xaegpj");
}

static void bytes_that_are_no_utf8_are_written_out(void **state)
{
    expect("\xff", "\\xff");
    expect("\xc3", "\\xc3");
    expect("\xc3(", "\\xc3(");
    expect("\xc0\xaf", "\\xc0\\xaf");
    expect("\xed\xa0\x80", "\\xed\\xa0\\x80");
    expect("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
    expect("\xf0\x9f\x99", "\\xf0\\x9f\\x99");
}

static void width_is_counted_in_characters(void **state)
{
    assert_int_equal(ph_visible_width(""), 0);
    assert_int_equal(ph_visible_width("größe"), 5);
}

static void cutting_never_splits_a_character(void **state)
{
    assert_int_equal(ph_visible_cut("größe", 0), 0);
    assert_int_equal(ph_visible_cut("größe", 2), 2);
    assert_int_equal(ph_visible_cut("größe", 3), 4);
    assert_int_equal(ph_visible_cut("größe", 9), strlen("größe"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_is_left_alone),
        cmocka_unit_test(what_drives_a_terminal_is_written_out),
        cmocka_unit_test(bytes_that_are_no_utf8_are_written_out),
        cmocka_unit_test(width_is_counted_in_characters),
        cmocka_unit_test(cutting_never_splits_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
