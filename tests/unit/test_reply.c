#include "server_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

static struct ph_reply error_at(const char *target, const char *accept, unsigned status)
{
    struct ph_site site = fixture_site();
    struct ph_request *request = fixture_get(&site, target);
    struct ph_reply reply = {0};
    strcpy(request->accept, accept);
    ph_reply_begin(&reply, PH_TEXT_HTML);
    ph_buf_text(&reply.body, "half an answer");
    ph_reply_error(request, &reply, status, "wrong: %s", "\"x\"");
    ph_request_free(request);
    assert_int_equal(reply.status, status);
    return reply;
}

static void expect_text(const char *target, const char *accept)
{
    struct ph_reply reply = error_at(target, accept, 400);
    assert_string_equal(reply.type, PH_TEXT_PLAIN);
    assert_string_equal(reply.body.data, "wrong: \"x\"\n");
    assert_string_equal(fixture_header(&reply, "X-Go-Pprof"), "1");
    assert_string_equal(fixture_header(&reply, "X-Content-Type-Options"), "nosniff");
    ph_reply_fini(&reply);
}

static void expect_problem(const char *target, const char *accept)
{
    struct ph_reply reply = error_at(target, accept, 400);
    assert_string_equal(reply.type, PH_PROBLEM);
    assert_string_equal(reply.body.data, "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"
                                         "\"detail\":\"wrong: \\\"x\\\"\"}\n");
    assert_null(fixture_header(&reply, "X-Go-Pprof"));
    ph_reply_fini(&reply);
}

static void errors_of_pprof_routes_are_a_line_that_pprof_shows(void **state)
{
    expect_text("/debug/pprof/heap", "");
    expect_text("/debug/pprof/", "*/*");
    expect_text("/pprof/heap", "text/html");
    expect_text("/debug/pprof/heap", "application/json;q=0.5, */*");
}

static void other_errors_are_problems_and_so_are_all_where_accept_says_so(void **state)
{
    expect_problem("/debug/processes", "");
    expect_problem("/debug/processes", "text/plain");
    expect_problem("/debug/pprof", "");
    expect_problem("/debug/pprof/heap", "application/problem+json");
    expect_problem("/debug/pprof/heap", "application/json");
}

static void an_error_leaves_nothing_of_the_answer_before_it(void **state)
{
    struct ph_reply reply = error_at("/debug/pprof/heap", "", 404);
    assert_null(strstr(reply.body.data, "half"));
    assert_null(fixture_header(&reply, "Content-Security-Policy"));
    ph_reply_fini(&reply);
}

static void an_error_that_may_pass_says_when_to_try_again(void **state)
{
    struct ph_reply reply = error_at("/debug/pprof/heap", "", 503);
    assert_string_equal(fixture_header(&reply, "Retry-After"), "1");
    ph_reply_fini(&reply);
    reply = error_at("/debug/pprof/heap", "", 404);
    assert_null(fixture_header(&reply, "Retry-After"));
    ph_reply_fini(&reply);
}

static void expect_failure(int code, const char *text, unsigned status, const char *wanted)
{
    struct ph_site site = fixture_site();
    struct ph_request *request = fixture_get(&site, "/pprof/heap");
    struct ph_error error = {code, ""};
    struct ph_reply reply = {0};
    strcpy(error.text, text);
    ph_reply_failure(request, &reply, code, text[0] ? &error : NULL);
    assert_int_equal(reply.status, status);
    assert_string_equal(reply.body.data, wanted);
    ph_reply_fini(&reply);
    ph_request_free(request);
}

static void failures_tell_the_impossible_from_what_may_pass(void **state)
{
    expect_failure(-ENOTSUP, "no such allocator", 501, "no such allocator\n");
    expect_failure(-ENOMEM, "", 503, "Cannot allocate memory\n");
    expect_failure(-ECANCELED, "stopping", 503, "stopping\n");
    expect_failure(-ECANCELED, "", 503, PH_STOPPING "\n");
    expect_failure(-EMFILE, "", 503, "Too many open files\n");
}

static void a_detail_is_text_and_no_format(void **state)
{
    expect_failure(-EIO, "100% %s %n", 503, "100% %s %n\n");
}

static void a_binary_profile_is_saved_under_its_name(void **state)
{
    struct ph_reply reply = {0};
    ph_reply_attachment(&reply, "heap", false);
    assert_string_equal(reply.type, PH_BINARY);
    assert_string_equal(fixture_header(&reply, "Content-Disposition"), "attachment; filename=\"heap\"");
    ph_reply_attachment(&reply, "heap", true);
    assert_string_equal(fixture_header(&reply, "Content-Disposition"), "attachment; filename=\"heap-delta\"");
    ph_reply_fini(&reply);
}

static void a_redirect_names_the_place(void **state)
{
    struct ph_reply reply = {0};
    ph_reply_redirect(&reply, "/debug/");
    assert_int_equal(reply.status, 301);
    assert_string_equal(fixture_header(&reply, "Location"), "/debug/");
    assert_string_equal(reply.body.data, "/debug/\n");
    ph_reply_fini(&reply);
}

static void pages_allow_no_script(void **state)
{
    struct ph_reply reply = {0};
    ph_reply_begin(&reply, PH_TEXT_HTML);
    assert_non_null(strstr(fixture_header(&reply, "Content-Security-Policy"), "default-src 'none'"));
    assert_null(strstr(fixture_header(&reply, "Content-Security-Policy"), "script"));
    ph_reply_fini(&reply);
}

static void headers_are_bounded_in_number_and_length(void **state)
{
    char longest[2 * PH_REPLY_VALUE_MAX];
    struct ph_reply reply = {0};
    memset(longest, 'a', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    ph_reply_begin(&reply, PH_TEXT_PLAIN);
    ph_reply_header(&reply, "X-Long", "%s", longest);
    assert_int_equal(strlen(fixture_header(&reply, "X-Long")), PH_REPLY_VALUE_MAX - 1);
    for (int i = 0; i < 2 * PH_REPLY_HEADERS_MAX; i++)
        ph_reply_header(&reply, "X-More", "%d", i);
    assert_int_equal(reply.header_count, PH_REPLY_HEADERS_MAX);
    ph_reply_fini(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_of_pprof_routes_are_a_line_that_pprof_shows),
        cmocka_unit_test(other_errors_are_problems_and_so_are_all_where_accept_says_so),
        cmocka_unit_test(an_error_leaves_nothing_of_the_answer_before_it),
        cmocka_unit_test(an_error_that_may_pass_says_when_to_try_again),
        cmocka_unit_test(failures_tell_the_impossible_from_what_may_pass),
        cmocka_unit_test(a_detail_is_text_and_no_format),
        cmocka_unit_test(a_binary_profile_is_saved_under_its_name),
        cmocka_unit_test(a_redirect_names_the_place),
        cmocka_unit_test(pages_allow_no_script),
        cmocka_unit_test(headers_are_bounded_in_number_and_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
