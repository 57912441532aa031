#include "server/pprof_query.h"
#include "server_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

static struct ph_pprof_query read_query(const char *query)
{
    char target[128];
    struct ph_site site = fixture_site();
    struct ph_reply reply = {0};
    struct ph_pprof_query read = {0};
    snprintf(target, sizeof(target), "/debug/pprof/heap?%s", query);
    struct ph_request *request = fixture_get(&site, target);
    assert_true(ph_pprof_query_read(request, &reply, &read));
    assert_null(reply.body.data);
    ph_request_free(request);
    return read;
}

static void expect_refused(const char *query, const char *text)
{
    char target[128];
    struct ph_site site = fixture_site();
    struct ph_reply reply = {0};
    struct ph_pprof_query untouched = {.seconds = 77};
    snprintf(target, sizeof(target), "/debug/pprof/heap?%s", query);
    struct ph_request *request = fixture_get(&site, target);
    assert_false(ph_pprof_query_read(request, &reply, &untouched));
    assert_int_equal(reply.status, 400);
    assert_string_equal(reply.body.data, text);
    assert_int_equal(untouched.seconds, 77);
    ph_reply_fini(&reply);
    ph_request_free(request);
}

static void without_seconds_it_is_a_snapshot(void **state)
{
    assert_int_equal(read_query("").seconds, 0);
    assert_int_equal(read_query("seconds=").seconds, 0);
    assert_int_equal(read_query("seconds").seconds, 0);
    assert_int_equal(read_query("second=1").seconds, 0);
}

static void seconds_are_a_positive_number_and_the_first_counts(void **state)
{
    assert_int_equal(read_query("seconds=1").seconds, 1);
    assert_int_equal(read_query("seconds=030").seconds, 30);
    assert_int_equal(read_query("seconds=%2B5").seconds, 5);
    assert_int_equal(read_query("seconds=3600").seconds, PH_SECONDS_MAX);
    assert_int_equal(read_query("seconds=2&seconds=no").seconds, 2);
}

static void other_seconds_are_refused_in_gos_words(void **state)
{
    static const char *const wrong[] = {"0", "-1", "x", "1x", "1.5", "+1", "0x1", "%00", "-"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char query[32];
        snprintf(query, sizeof(query), "seconds=%s", wrong[i]);
        expect_refused(query, "invalid value for \"seconds\" - must be a positive integer\n");
    }
    expect_refused("seconds=3601", "invalid value for \"seconds\" - must be at most 3600\n");
    expect_refused("seconds=99999999999999999999999999", "invalid value for \"seconds\" - must be at most 3600\n");
}

static void seconds_and_debug_are_incompatible(void **state)
{
    expect_refused("seconds=1&debug=1", "seconds and debug params are incompatible\n");
    expect_refused("debug=2&seconds=1", "seconds and debug params are incompatible\n");
    expect_refused("seconds=0&debug=1", "invalid value for \"seconds\" - must be a positive integer\n");
    assert_int_equal(read_query("seconds=1&debug=0").seconds, 1);
}

static void debug_is_any_number_but_zero_and_gc_one_above(void **state)
{
    assert_true(read_query("debug=1").debug);
    assert_true(read_query("debug=2").debug);
    assert_true(read_query("debug=-1").debug);
    assert_false(read_query("debug=0").debug);
    assert_false(read_query("debug=yes").debug);
    assert_false(read_query("debug").debug);
    assert_true(read_query("gc=1").gc);
    assert_false(read_query("gc=0").gc);
    assert_false(read_query("gc=-1").gc);
    assert_true(read_query("gc=1&seconds=1").gc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_seconds_it_is_a_snapshot),
        cmocka_unit_test(seconds_are_a_positive_number_and_the_first_counts),
        cmocka_unit_test(other_seconds_are_refused_in_gos_words),
        cmocka_unit_test(seconds_and_debug_are_incompatible),
        cmocka_unit_test(debug_is_any_number_but_zero_and_gc_one_above),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
