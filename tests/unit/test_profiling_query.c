#include "server/profiling_query.h"
#include "server_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static bool read_query(const char *query, struct ph_profiling_query *ret_query, struct ph_reply *reply)
{
    struct ph_site site = fixture_site();
    char target[100] = "/debug/pprof/profile?";
    struct ph_request *request = fixture_get(&site, strcat(target, query));
    bool fine = ph_profiling_query_read(request, reply, ret_query);
    ph_request_free(request);
    return fine;
}

static void expect_read(const char *text, unsigned seconds, unsigned hz)
{
    struct ph_reply reply = {0};
    struct ph_profiling_query query;
    assert_true(read_query(text, &query, &reply));
    assert_int_equal(query.seconds, seconds);
    assert_int_equal(query.hz, hz);
}

static void expect_refused(const char *text, const char *wanted)
{
    struct ph_reply reply = {0};
    struct ph_profiling_query query;
    assert_false(read_query(text, &query, &reply));
    assert_int_equal(reply.status, 400);
    assert_non_null(strstr(reply.body.data, wanted));
    ph_reply_fini(&reply);
}

static void what_is_not_said_is_as_in_go(void **state)
{
    expect_read("", 30, 100);
    expect_read("seconds=&hz=", 30, 100);
    expect_read("other=1", 30, 100);
}

static void what_is_said_holds_up_to_the_bounds(void **state)
{
    expect_read("seconds=1&hz=1", 1, 1);
    expect_read("seconds=3600&hz=1000", 3600, 1000);
}

static void what_means_nothing_is_refused_with_what_is_allowed(void **state)
{
    static const char *const values[] = {"0", "-1", "x", "1.5", "3601", "99999999999999999999999"};
    char query[60];
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        strcat(strcpy(query, "seconds="), values[i]);
        expect_refused(query, "invalid value for \"seconds\" - must be a number from 1 to 3600");
    }
    expect_refused("seconds=1&hz=0", "invalid value for \"hz\" - must be a number from 1 to 1000");
    expect_refused("hz=1001", "invalid value for \"hz\" - must be a number from 1 to 1000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_said_is_as_in_go),
        cmocka_unit_test(what_is_said_holds_up_to_the_bounds),
        cmocka_unit_test(what_means_nothing_is_refused_with_what_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
