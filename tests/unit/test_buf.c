#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void appends_follow_one_another_and_end_in_a_nul(void **state)
{
    struct ph_buf buf = PH_BUF_INIT;
    ph_buf_text(&buf, "one");
    ph_buf_char(&buf, ' ');
    ph_buf_append(&buf, "two!", 3);
    ph_buf_printf(&buf, " %d %s", 3, "four");
    assert_string_equal(buf.data, "one two 3 four");
    assert_int_equal(buf.size_bytes, strlen("one two 3 four"));
    assert_int_equal(ph_buf_status(&buf), 0);
    ph_buf_fini(&buf);
    assert_null(buf.data);
    assert_int_equal(buf.size_bytes, 0);
}

static void a_buffer_grows_to_any_size(void **state)
{
    struct ph_buf buf = PH_BUF_INIT;
    for (int i = 0; i < 100000; i++)
        ph_buf_printf(&buf, "%05d\n", i);
    assert_int_equal(buf.size_bytes, 600000);
    assert_memory_equal(buf.data, "00000\n00001\n", 12);
    assert_string_equal(buf.data + 600000 - 6, "99999\n");
    ph_buf_fini(&buf);
}

static void bytes_may_be_nul(void **state)
{
    struct ph_buf buf = PH_BUF_INIT;
    ph_buf_append(&buf, "a\0b", 3);
    assert_int_equal(buf.size_bytes, 3);
    assert_memory_equal(buf.data, "a\0b", 4);
    ph_buf_append(&buf, NULL, 0);
    assert_int_equal(buf.size_bytes, 3);
    ph_buf_fini(&buf);
}

static void failure_is_sticky_and_loses_nothing_of_before(void **state)
{
    struct ph_buf buf = PH_BUF_INIT;
    ph_buf_text(&buf, "kept");
    assert_int_equal(ph_buf_reserve(&buf, SIZE_MAX), -ENOMEM);
    ph_buf_text(&buf, "lost");
    assert_int_equal(ph_buf_status(&buf), -ENOMEM);
    assert_string_equal(buf.data, "kept");
    assert_null(ph_buf_take(&buf, NULL));
    ph_buf_fini(&buf);
    assert_int_equal(ph_buf_status(&buf), 0);
}

static void what_is_taken_is_the_callers(void **state)
{
    struct ph_buf buf = PH_BUF_INIT;
    size_t size_bytes = 7;
    ph_buf_text(&buf, "text");
    char *taken = ph_buf_take(&buf, &size_bytes);
    assert_string_equal(taken, "text");
    assert_int_equal(size_bytes, 4);
    assert_null(buf.data);
    free(taken);
    taken = ph_buf_take(&buf, &size_bytes);
    assert_string_equal(taken, "");
    assert_int_equal(size_bytes, 0);
    free(taken);
}

static void expect_json(const char *text, const char *json)
{
    struct ph_buf buf = PH_BUF_INIT;
    ph_buf_json(&buf, text);
    assert_string_equal(buf.data, json);
    ph_buf_fini(&buf);
}

static void json_strings_are_quoted_and_escaped(void **state)
{
    expect_json("", "\"\"");
    expect_json("plain", "\"plain\"");
    expect_json("a\"b\\c", "\"a\\\"b\\\\c\"");
    expect_json("\n\t\x01\x1f", "\"\\u000a\\u0009\\u0001\\u001f\"");
    expect_json("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

static void json_replaces_what_is_no_utf8(void **state)
{
    expect_json("a\xff"
                "b",
                "\"a\xef\xbf\xbd"
                "b\"");
    expect_json("\xc3", "\"\xef\xbf\xbd\"");                                 /* cut */
    expect_json("\xc0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\"");                 /* overlong */
    expect_json("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""); /* a surrogate */
}

static void html_cannot_leave_its_element_or_attribute(void **state)
{
    struct ph_buf buf = PH_BUF_INIT;
    ph_buf_html(&buf, "<a href=\"x\">'&amp;</a>");
    assert_string_equal(buf.data, "&lt;a href=&quot;x&quot;&gt;&#39;&amp;amp;&lt;/a&gt;");
    ph_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_follow_one_another_and_end_in_a_nul),
        cmocka_unit_test(a_buffer_grows_to_any_size),
        cmocka_unit_test(bytes_may_be_nul),
        cmocka_unit_test(failure_is_sticky_and_loses_nothing_of_before),
        cmocka_unit_test(what_is_taken_is_the_callers),
        cmocka_unit_test(json_strings_are_quoted_and_escaped),
        cmocka_unit_test(json_replaces_what_is_no_utf8),
        cmocka_unit_test(html_cannot_leave_its_element_or_attribute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
