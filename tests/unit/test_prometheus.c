#include "model/prometheus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdint.h>

static const struct ph_metric forks = {PH_METRIC_COUNTER, "porthole_forks", NULL, "Forks seen."};
static const struct ph_metric waits = {PH_METRIC_COUNTER, "porthole_fork_wait", "seconds", "Time waited."};
static const struct ph_metric held = {PH_METRIC_GAUGE, "porthole_heap", "bytes", "Held."};
static const struct ph_metric build = {PH_METRIC_INFO, "porthole_build", NULL, "The build."};

static void expect(struct ph_buf *out, const char *wanted)
{
    assert_int_equal(ph_buf_status(out), 0);
    assert_string_equal(out->data, wanted);
    ph_buf_fini(out);
}

static void names_are_made_of_name_unit_and_the_ending_of_the_type(void **state)
{
    struct ph_buf out = PH_BUF_INIT;
    ph_prometheus_begin(&out, &forks);
    expect(&out, "# HELP porthole_forks_total Forks seen.\n# TYPE porthole_forks_total counter\n");
    ph_prometheus_begin(&out, &waits);
    expect(&out, "# HELP porthole_fork_wait_seconds_total Time waited.\n"
                 "# TYPE porthole_fork_wait_seconds_total counter\n");
    ph_prometheus_begin(&out, &held);
    expect(&out, "# HELP porthole_heap_bytes Held.\n# TYPE porthole_heap_bytes gauge\n");
    ph_prometheus_begin(&out, &build);
    expect(&out, "# HELP porthole_build_info The build.\n# TYPE porthole_build_info gauge\n");
}

static void values_stand_behind_name_and_labels(void **state)
{
    const struct ph_metric_label labels[] = {{"reason", "late"}, {"empty", ""}};
    struct ph_buf out = PH_BUF_INIT;
    ph_prometheus_value(&out, &forks, NULL, 0, UINT64_MAX);
    ph_prometheus_value(&out, &held, labels, 1, 0);
    ph_prometheus_value(&out, &build, labels, 2, 1);
    expect(&out, "porthole_forks_total 18446744073709551615\nporthole_heap_bytes{reason=\"late\"} 0\n"
                 "porthole_build_info{reason=\"late\",empty=\"\"} 1\n");
}

static void whatever_a_label_holds_stays_in_its_quotes(void **state)
{
    const struct ph_metric_label labels[] = {{"name", "a\"b\\c\nd\xff"
                                                      "e\xc3\xa9\t"}};
    struct ph_buf out = PH_BUF_INIT;
    ph_prometheus_value(&out, &build, labels, 1, 1);
    expect(&out, "porthole_build_info{name=\"a\\\"b\\\\c\\nd\xef\xbf\xbd"
                 "e\xc3\xa9\t\"} 1\n");
}

static void in_a_help_text_quotes_stay_and_line_ends_do_not(void **state)
{
    struct ph_metric metric = forks;
    struct ph_buf out = PH_BUF_INIT;
    metric.help = "say \"a\\b\"\nand c";
    ph_prometheus_begin(&out, &metric);
    expect(&out, "# HELP porthole_forks_total say \"a\\\\b\"\\nand c\n# TYPE porthole_forks_total counter\n");
}

static void expect_time(uint64_t value_ns, const char *wanted)
{
    struct ph_buf out = PH_BUF_INIT;
    ph_prometheus_time(&out, &waits, NULL, 0, value_ns);
    expect(&out, wanted);
}

static void nanoseconds_are_written_as_seconds_to_the_last_digit(void **state)
{
    expect_time(0, "porthole_fork_wait_seconds_total 0\n");
    expect_time(1, "porthole_fork_wait_seconds_total 0.000000001\n");
    expect_time(3000000000, "porthole_fork_wait_seconds_total 3\n");
    expect_time(1050000000, "porthole_fork_wait_seconds_total 1.05\n");
    expect_time(1795448110123456789, "porthole_fork_wait_seconds_total 1795448110.123456789\n");
    expect_time(UINT64_MAX, "porthole_fork_wait_seconds_total 18446744073.709551615\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_made_of_name_unit_and_the_ending_of_the_type),
        cmocka_unit_test(values_stand_behind_name_and_labels),
        cmocka_unit_test(whatever_a_label_holds_stays_in_its_quotes),
        cmocka_unit_test(in_a_help_text_quotes_stay_and_line_ends_do_not),
        cmocka_unit_test(nanoseconds_are_written_as_seconds_to_the_last_digit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
