#include "tools/series_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#define S INT64_C(1000000000)

static const struct ph_origin first = {.program = "/srv/a \"b\"",
                                       .build_id = "abcd",
                                       .base_address = 0x55d0a1a00000,
                                       .pid = 4242,
                                       .start_ns = 1795435200 * S};
static const struct ph_origin second = {.program = "/srv/a \"b\""};

static struct ph_series_log parse(const char *text)
{
    struct ph_series_log log;
    struct ph_error error;
    assert_int_equal(ph_series_log_parse(text, strlen(text), &log, &error), 0);
    return log;
}

static void expect_refused(const char *text, const char *reason)
{
    struct ph_series_log log;
    struct ph_error error;
    assert_int_equal(ph_series_log_parse(text, strlen(text), &log, &error), -EINVAL);
    assert_non_null(strstr(error.text, reason));
}

static void what_was_written_is_read_again(void **state)
{
    struct ph_series_log log = {.target = "http://h:1/\xc3\xa9?a=\"b\"", .every_ns = S / 2};
    struct ph_buf text = PH_BUF_INIT;
    assert_int_equal(ph_series_log_add(&log, "heap-0001-x.pb.gz", &first), 0);
    assert_int_equal(ph_series_log_add(&log, "heap-0007-x.pb.gz", &second), 0);
    assert_int_equal(ph_series_log_write(&log, &text), 0);
    struct ph_series_log again = parse(text.data);
    assert_string_equal(again.target, log.target);
    assert_int_equal(again.every_ns, S / 2);
    assert_int_equal(again.process_count, 2);
    assert_string_equal(again.processes[0].first_file, "heap-0001-x.pb.gz");
    assert_memory_equal(&again.processes[0].origin, &first, sizeof(first));
    assert_string_equal(again.processes[1].first_file, "heap-0007-x.pb.gz");
    assert_memory_equal(ph_series_log_last(&again), &second, sizeof(second));
    ph_series_log_fini(&again);
    ph_series_log_fini(&log);
    ph_buf_fini(&text);
}

static void a_log_may_hold_no_process_yet(void **state)
{
    struct ph_series_log log = {.target = "1", .every_ns = S};
    struct ph_buf text = PH_BUF_INIT;
    assert_int_equal(ph_series_log_write(&log, &text), 0);
    struct ph_series_log again = parse(text.data);
    assert_null(ph_series_log_last(&again));
    ph_series_log_fini(&again);
    ph_buf_fini(&text);
}

static void the_start_is_a_time_that_people_read(void **state)
{
    struct ph_series_log log = {.target = "4242", .every_ns = 10 * S};
    struct ph_buf text = PH_BUF_INIT;
    assert_int_equal(ph_series_log_add(&log, "f", &first), 0);
    assert_int_equal(ph_series_log_write(&log, &text), 0);
    assert_non_null(strstr(text.data, "\"start_time\": \"2026-11-23T12:00:00Z\""));
    assert_non_null(strstr(text.data, "\"every_seconds\": 10,"));
    ph_series_log_fini(&log);
    ph_buf_fini(&text);
}

static void what_a_file_lacks_or_has_wrong_is_unknown(void **state)
{
    struct ph_series_log log =
        parse("{\"format\": 1, \"every_seconds\": 1e300, \"target\": 7, \"processes\": [{}, 5, "
              "{\"pid\": \"x\", \"start_time\": \"soon\", \"base_address\": 3}]}");
    assert_string_equal(log.target, "");
    assert_int_equal(log.every_ns, 0);
    assert_int_equal(log.process_count, 3);
    for (int i = 0; i < 3; i++) {
        assert_string_equal(log.processes[i].first_file, "");
        assert_int_equal(log.processes[i].origin.pid, 0);
        assert_int_equal(log.processes[i].origin.start_ns, 0);
        assert_int_equal(log.processes[i].origin.base_address, 0);
    }
    ph_series_log_fini(&log);
}

static void what_is_no_log_is_refused(void **state)
{
    expect_refused("", "line");
    expect_refused("{\"format\": 1, ", "line 1");
    expect_refused("[1, 2]", "expected an object with \"format\": 1");
    expect_refused("{\"format\": 2}", "\"format\": 1");
}

static void times_have_the_form_asked_for(void **state)
{
    assert_string_equal(ph_series_time(1795435200 * S, "%Y%m%dT%H%M%SZ").text, "20261123T120000Z");
    assert_string_equal(ph_series_time(1795435200 * S + S - 1, PH_SERIES_TIME_FORMAT).text, "2026-11-23T12:00:00Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read_again),
        cmocka_unit_test(a_log_may_hold_no_process_yet),
        cmocka_unit_test(the_start_is_a_time_that_people_read),
        cmocka_unit_test(what_a_file_lacks_or_has_wrong_is_unknown),
        cmocka_unit_test(what_is_no_log_is_refused),
        cmocka_unit_test(times_have_the_form_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
