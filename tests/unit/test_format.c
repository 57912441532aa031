#include "server/format.h"
#include "server_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static int choose(const char *target, const char *accept, struct ph_reply *reply)
{
    struct ph_site site = fixture_site();
    struct ph_request *request = fixture_get(&site, target);
    strcpy(request->accept, accept);
    int format = ph_format_choose(request, reply);
    ph_request_free(request);
    return format;
}

static void format_beats_accept(void **state)
{
    assert_int_equal(choose("/debug/threads?format=text", "text/html", NULL), PH_FORMAT_TEXT);
    assert_int_equal(choose("/debug/threads?format=html", "", NULL), PH_FORMAT_HTML);
    assert_int_equal(choose("/debug/threads?format=json", "text/html", NULL), PH_FORMAT_JSON);
}

static void without_it_accept_decides_and_json_is_the_rest(void **state)
{
    assert_int_equal(choose("/debug/threads", "text/html,application/xhtml+xml,*/*;q=0.8", NULL), PH_FORMAT_HTML);
    assert_int_equal(choose("/debug/threads?format=", "text/plain", NULL), PH_FORMAT_TEXT);
    assert_int_equal(choose("/debug/threads", "", NULL), PH_FORMAT_JSON);
    assert_int_equal(choose("/debug/threads", "image/png", NULL), PH_FORMAT_JSON);
}

static void an_unknown_one_is_refused_with_those_there_are(void **state)
{
    struct ph_reply reply = {0};
    assert_true(choose("/debug/threads?format=xml", "", &reply) < 0);
    assert_int_equal(reply.status, 400);
    assert_non_null(strstr(reply.body.data, "expected json, text or html"));
    ph_reply_fini(&reply);
}

static void the_answer_has_its_type(void **state)
{
    struct ph_reply reply = {0};
    ph_format_begin(&reply, PH_FORMAT_HTML);
    assert_string_equal(reply.type, PH_TEXT_HTML);
    assert_non_null(fixture_header(&reply, "Content-Security-Policy"));
    ph_reply_fini(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(format_beats_accept),
        cmocka_unit_test(without_it_accept_decides_and_json_is_the_rest),
        cmocka_unit_test(an_unknown_one_is_refused_with_those_there_are),
        cmocka_unit_test(the_answer_has_its_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
