#include "base/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Long enough for no option. */
static char long_path[2 * PH_OPTION_TEXT_MAX];

static int set_up(void **state)
{
    memset(long_path, 'x', sizeof(long_path) - 1);
    long_path[0] = '/';
    return 0;
}

static void expect_preset(const struct ph_options *options)
{
    assert_int_equal(options->start, PH_START_SERVER);
    assert_string_equal(options->listen, "127.0.0.1:6060");
    assert_string_equal(options->token_file, "");
    assert_int_equal(options->heap_sample_bytes, 512 << 10);
    assert_string_equal(options->agent, "");
    assert_int_equal(options->log, PH_LOG_START);
}

static void the_presets_are_what_the_rows_say(void **state)
{
    struct ph_options options;
    memset(&options, 0xff, sizeof(options));
    ph_options_preset(&options);
    expect_preset(&options);
}

static void every_row_is_for_people(void **state)
{
    size_t count;
    const struct ph_option_row *rows = ph_option_rows(&count);
    assert_int_equal(count, 7);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(strncmp(rows[i].name, "PORTHOLE_", 9), 0);
        assert_true(rows[i].allowed[0] && rows[i].help[0]);
    }
}

/* One row for each option: a value it takes, and some it does not. */
static const struct {
    const char *name, *good;
    const char *bad[12];
} rows[] = {
    {"PORTHOLE_START", "manual", {"Manual", "on", "now ", "0"}},
    {"PORTHOLE_LISTEN",
     "[::1]:7070",
     {"127.0.0.1", ":80", "::1:80", "[::1]", "host:", "host:65536", "host:-1", "unix:", "unix:x", "unix:/", "on"}},
    {"PORTHOLE_TOKEN_FILE", "/run/token", {"token", "./token", long_path}},
    {"PORTHOLE_HEAP_SAMPLE", "1MiB", {"0", "512", "2GiB", "3K", "1 MiB", "-1", "1e6", "18446744073709551616"}},
    {"PORTHOLE_AGENT", "/opt/agent", {"agent", long_path}},
    {"PORTHOLE_SIGNAL", "40", {"0", "34", "64", "40 ", "SIGUSR1", "-1", "4294967336"}},
    {"PORTHOLE_LOG", "quiet", {"loud", "QUIET", "1"}},
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static void every_option_takes_what_it_allows(void **state)
{
    struct ph_options options;
    struct ph_error error = {0};
    size_t count;
    ph_options_preset(&options);
    for (size_t i = 0; i < ROW_COUNT; i++)
        assert_int_equal(ph_options_set(&options, rows[i].name, rows[i].good, &error), 0);
    ph_option_rows(&count);
    assert_int_equal(count, ROW_COUNT);
    assert_int_equal(options.start, PH_START_MANUAL);
    assert_string_equal(options.listen, "[::1]:7070");
    assert_string_equal(options.token_file, "/run/token");
    assert_int_equal(options.heap_sample_bytes, 1 << 20);
    assert_string_equal(options.agent, "/opt/agent");
    assert_int_equal(options.log, PH_LOG_QUIET);
}

static void a_bad_value_changes_nothing_and_is_told_what_is_allowed(void **state)
{
    struct ph_options options;
    size_t count;
    const struct ph_option_row *known = ph_option_rows(&count);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        for (size_t j = 0; rows[i].bad[j]; j++) {
            struct ph_error error = {0};
            char wanted[PH_ERROR_TEXT_MAX];
            ph_options_preset(&options);
            if (ph_options_set(&options, rows[i].name, rows[i].bad[j], &error) != -EINVAL)
                fail_msg("%s=%s is taken", rows[i].name, rows[i].bad[j]);
            expect_preset(&options);
            snprintf(wanted, sizeof(wanted), "%s=%.80s: expected %s", rows[i].name, rows[i].bad[j],
                     known[i].allowed);
            assert_string_equal(known[i].name, rows[i].name);
            assert_string_equal(error.text, wanted);
        }
    }
}

static void further_values_are_taken_as_meant(void **state)
{
    struct ph_options options;
    ph_options_preset(&options);
    static const char *const listens[] = {"off", "0.0.0.0:80", "localhost:0", "unix:/run/porthole.sock"};
    for (size_t i = 0; i < sizeof(listens) / sizeof(listens[0]); i++) {
        assert_int_equal(ph_options_set(&options, "PORTHOLE_LISTEN", listens[i], NULL), 0);
        assert_string_equal(options.listen, listens[i]);
    }
    static const char *const starts[] = {"server", "now", "manual", "off"};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ph_options_set(&options, "PORTHOLE_START", starts[i], NULL), 0);
        assert_int_equal(options.start, i);
    }
    assert_int_equal(ph_options_set(&options, "PORTHOLE_HEAP_SAMPLE", "off", NULL), 0);
    assert_int_equal(options.heap_sample_bytes, 0);
    assert_int_equal(ph_options_set(&options, "PORTHOLE_HEAP_SAMPLE", "1GiB", NULL), 0);
    assert_int_equal(options.heap_sample_bytes, 1 << 30);
}

static void paths_may_be_as_long_as_their_field(void **state)
{
    struct ph_options options;
    char path[PH_OPTION_TEXT_MAX + 1];
    ph_options_preset(&options);
    memset(path, 'x', sizeof(path));
    path[0] = '/';
    path[PH_OPTION_TEXT_MAX] = '\0';
    assert_int_equal(ph_options_set(&options, "PORTHOLE_AGENT", path, NULL), -EINVAL);
    path[PH_OPTION_TEXT_MAX - 1] = '\0';
    assert_int_equal(ph_options_set(&options, "PORTHOLE_AGENT", path, NULL), 0);
    assert_string_equal(options.agent, path);
}

static void a_socket_path_fits_into_its_address(void **state)
{
    struct ph_options options;
    char listen[5 + 109] = "unix:/";
    ph_options_preset(&options);
    memset(listen + 6, 'x', sizeof(listen) - 7);
    assert_int_equal(ph_options_set(&options, "PORTHOLE_LISTEN", listen, NULL), -EINVAL);
    listen[5 + 107] = '\0';
    assert_int_equal(ph_options_set(&options, "PORTHOLE_LISTEN", listen, NULL), 0);
}

static void empty_means_not_set(void **state)
{
    struct ph_options options;
    ph_options_preset(&options);
    for (size_t i = 0; i < ROW_COUNT; i++)
        assert_int_equal(ph_options_set(&options, rows[i].name, "", NULL), 0);
    expect_preset(&options);
}

static void names_must_be_whole(void **state)
{
    struct ph_options options;
    struct ph_error error = {0};
    ph_options_preset(&options);
    assert_int_equal(ph_options_set(&options, "PORTHOLE_LOGS", "quiet", &error), -ENOENT);
    assert_string_equal(error.text, "PORTHOLE_LOGS: no such option");
    assert_int_equal(ph_options_set(&options, "PORTHOLE_LO", "quiet", NULL), -ENOENT);
    assert_int_equal(ph_options_set(&options, "", "quiet", NULL), -ENOENT);
    expect_preset(&options);
}

static void an_environment_is_read_and_its_first_bad_value_named(void **state)
{
    char *environment[] = {
        "PATH=/bin",
        "PORTHOLE_LOG=quiet",
        "PORTHOLE_START=maybe",
        "PORTHOLE_HEAP_SAMPLE=7",
        "PORTHOLE_UNKNOWN=1",
        "PORTHOLE_",
        "PORTHOLE_AGENT=/a",
        "PORTHOLE_TOKEN_FILE=",
        NULL,
    };
    struct ph_options options;
    struct ph_error error = {0};
    assert_int_equal(ph_options_read(&options, environment, &error), 2);
    assert_string_equal(error.text, "PORTHOLE_START=maybe: expected server, now, manual or off");
    assert_int_equal(options.log, PH_LOG_QUIET);
    assert_int_equal(options.start, PH_START_SERVER);
    assert_int_equal(options.heap_sample_bytes, 512 << 10);
    assert_string_equal(options.agent, "/a");
    assert_string_equal(options.token_file, "");
}

static void no_environment_gives_the_presets(void **state)
{
    struct ph_options options;
    struct ph_error error = {0};
    char *empty[] = {NULL};
    assert_int_equal(ph_options_read(&options, NULL, &error), 0);
    expect_preset(&options);
    assert_int_equal(ph_options_read(&options, empty, &error), 0);
    expect_preset(&options);
    assert_int_equal(error.code, 0);
}

static void values_are_copied(void **state)
{
    char variable[] = "PORTHOLE_AGENT=/opt/agent";
    char *environment[] = {variable, NULL};
    struct ph_options options;
    ph_options_read(&options, environment, NULL);
    memset(variable, 'x', sizeof(variable) - 1);
    assert_string_equal(options.agent, "/opt/agent");
}

static void variables_are_found_by_their_whole_name(void **state)
{
    char *environment[] = {"AB=1", "A=2", "A=3", "B=", NULL};
    assert_string_equal(ph_environment_find(environment, "A"), "2");
    assert_string_equal(ph_environment_find(environment, "B"), "");
    assert_null(ph_environment_find(environment, "C"));
    assert_null(ph_environment_find(NULL, "A"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_presets_are_what_the_rows_say),
        cmocka_unit_test(every_row_is_for_people),
        cmocka_unit_test(every_option_takes_what_it_allows),
        cmocka_unit_test(a_bad_value_changes_nothing_and_is_told_what_is_allowed),
        cmocka_unit_test(further_values_are_taken_as_meant),
        cmocka_unit_test(paths_may_be_as_long_as_their_field),
        cmocka_unit_test(a_socket_path_fits_into_its_address),
        cmocka_unit_test(empty_means_not_set),
        cmocka_unit_test(names_must_be_whole),
        cmocka_unit_test(an_environment_is_read_and_its_first_bad_value_named),
        cmocka_unit_test(no_environment_gives_the_presets),
        cmocka_unit_test(values_are_copied),
        cmocka_unit_test(variables_are_found_by_their_whole_name),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
