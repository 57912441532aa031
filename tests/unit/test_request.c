#include "server/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static void expect_split(const char *target, const char *path, const char *query)
{
    struct ph_request *request = ph_request_new(NULL, target);
    assert_non_null(request);
    assert_string_equal(request->path, path);
    assert_string_equal(request->query, query);
    ph_request_free(request);
}

static void a_target_is_split_at_the_first_question_mark(void **state)
{
    expect_split("/debug/", "/debug/", "");
    expect_split("/debug/?", "/debug/", "");
    expect_split("/debug/?a=1", "/debug/", "a=1");
    expect_split("/debug/?a=1?b", "/debug/", "a=1?b");
    expect_split("", "", "");
    expect_split("?", "", "");
}

static void the_path_is_decoded_and_the_query_is_not(void **state)
{
    expect_split("/debug%2Fpprof?0x1%2B0x2", "/debug/pprof", "0x1%2B0x2");
    expect_split("/%64ebug", "/debug", "");
    expect_split("/a+b", "/a+b", "");
    expect_split("/a%3Fb?c", "/a?b", "c");
}

static void what_is_no_escape_stays(void **state)
{
    expect_split("/%", "/%", "");
    expect_split("/%4", "/%4", "");
    expect_split("/%4g", "/%4g", "");
    expect_split("/%%41", "/%A", "");
    expect_split("/%00x", "/%00x", "");
}

static void methods_are_told_apart_by_case(void **state)
{
    assert_int_equal(ph_method_parse("GET"), PH_METHOD_GET);
    assert_int_equal(ph_method_parse("HEAD"), PH_METHOD_HEAD);
    assert_int_equal(ph_method_parse("POST"), PH_METHOD_POST);
    assert_int_equal(ph_method_parse("get"), PH_METHOD_OTHER);
    assert_int_equal(ph_method_parse("GETS"), PH_METHOD_OTHER);
    assert_int_equal(ph_method_parse(""), PH_METHOD_OTHER);
}

static void expect_parameter(const char *query, const char *wanted)
{
    char value[8] = "unset";
    assert_int_equal(ph_query_text(query, "name", value, sizeof(value)), wanted != NULL);
    assert_string_equal(value, wanted ? wanted : "unset");
}

static void the_first_of_a_repeated_parameter_counts(void **state)
{
    expect_parameter("name=1&name=2", "1");
    expect_parameter("a=0&name=1&b=2", "1");
    expect_parameter("name", "");
    expect_parameter("name=", "");
    expect_parameter("&&name=1&", "1");
    expect_parameter("", NULL);
    expect_parameter("names=1&aname=2&nam=3", NULL);
}

static void values_are_decoded_and_cut_to_the_room_there_is(void **state)
{
    expect_parameter("name=a%20b+c", "a b c");
    expect_parameter("name=1%262", "1&2");
    expect_parameter("name=1=2", "1=2");
    expect_parameter("name=12345678", "1234567");
    expect_parameter("name=123456%41", "123456%");
}

static void numbers_are_read_as_by_go_without_its_errors(void **state)
{
    assert_int_equal(ph_query_number("n=17", "n"), 17);
    assert_int_equal(ph_query_number("n=%2B17", "n"), 17);
    assert_int_equal(ph_query_number("n=-17", "n"), -17);
    static const char *const none[] = {"",     "n",     "n=",    "n=x",   "n=+17",
                                       "n=1x", "n=1.5", "n=0x1", "n=--1", "n=9223372036854775808"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        assert_int_equal(ph_query_number(none[i], "n"), 0);
}

static void expect_choice(const char *accept, int wanted)
{
    static const char *const types[] = {"application/json", "text/plain", "text/html", NULL};
    int chosen = ph_accept_choose(accept, types);
    if (chosen != wanted)
        print_error("Accept: %s\n", accept);
    assert_int_equal(chosen, wanted);
}

static void accept_chooses_by_quality_then_by_our_order(void **state)
{
    expect_choice("", 0);
    expect_choice(" , ", 0);
    expect_choice("*/*", 0);
    expect_choice("text/html", 2);
    expect_choice("TEXT/HTML", 2);
    expect_choice("text/*", 1);
    expect_choice("text/html, text/plain", 1);
    expect_choice("text/html;q=0.9, text/plain;q=0.8", 2);
    expect_choice("application/json;q=0.1,*/*;q=0.2", 1);
    expect_choice("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 2);
    expect_choice("image/png", -1);
    expect_choice("text", -1);
}

static void the_closest_range_tells_the_quality(void **state)
{
    expect_choice("text/plain;q=0, text/*", 2);
    expect_choice("text/*;q=1, text/plain;q=0.1, text/html;q=0.2", 2);
    expect_choice("*/*;q=1, application/json;q=0", 1);
    expect_choice("application/json;q=0", -1);
    expect_choice("text/plain; charset=utf-8 ; q=0.5, text/html;q=0.501", 2);
    expect_choice("text/html;Q=0.4, text/plain;q=0.5", 1);
    expect_choice("text/html;faq=0.1, text/plain;q=0.5", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_is_split_at_the_first_question_mark),
        cmocka_unit_test(the_path_is_decoded_and_the_query_is_not),
        cmocka_unit_test(what_is_no_escape_stays),
        cmocka_unit_test(methods_are_told_apart_by_case),
        cmocka_unit_test(the_first_of_a_repeated_parameter_counts),
        cmocka_unit_test(values_are_decoded_and_cut_to_the_room_there_is),
        cmocka_unit_test(numbers_are_read_as_by_go_without_its_errors),
        cmocka_unit_test(accept_chooses_by_quality_then_by_our_order),
        cmocka_unit_test(the_closest_range_tells_the_quality),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
