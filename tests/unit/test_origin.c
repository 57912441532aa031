#include "tools/origin.h"

#include "rich.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#define S INT64_C(1000000000)

static const char processes[] = "{\"url\": \"http://127.0.0.1:6060\", \"processes\": ["
                                "{\"pid\": 11, \"role\": \"member\", \"uptime_seconds\": 3},"
                                "{\"pid\": 10, \"role\": \"front\", \"uptime_seconds\": 100.5}]}";

static struct ph_origin parse(const char *json, int64_t pid)
{
    struct ph_origin origin = {0};
    ph_origin_parse(json, strlen(json), pid, 1000 * S, &origin);
    return origin;
}

static struct ph_origin of_file(const char *file, const char *build_id)
{
    struct ph_origin origin = {0};
    struct ph_profile *profile = rich_heap(1);
    struct ph_mapping mapping = {.start = 0x5000, .limit = 0x6000};
    mapping.file = ph_profile_string(profile, file);
    mapping.build_id = ph_profile_string(profile, build_id);
    ph_profile_add_mapping(profile, &mapping);
    mapping.file = ph_profile_string(profile, "/lib/libc.so.6");
    ph_profile_add_mapping(profile, &mapping);
    ph_origin_of_profile(profile, &origin);
    ph_profile_free(profile);
    return origin;
}

static void the_process_with_the_port_is_the_one(void **state)
{
    struct ph_origin origin = parse(processes, 0);
    assert_int_equal(origin.pid, 10);
    assert_int_equal(origin.start_ns, 1000 * S - 100 * S - S / 2);
}

static void of_several_processes_the_one_asked_for_is_taken(void **state)
{
    struct ph_origin origin = parse(processes, 11);
    assert_int_equal(origin.pid, 11);
    assert_int_equal(origin.start_ns, 997 * S);
    assert_int_equal(parse(processes, 12).pid, 0);
}

static void without_roles_the_first_is_taken(void **state)
{
    assert_int_equal(parse("{\"processes\": [{\"pid\": 5}, {\"pid\": 6}]}", 0).pid, 5);
}

static void what_makes_no_sense_is_unknown(void **state)
{
    static const char *const answers[] = {
        "",
        "<html>",
        "[]",
        "{}",
        "{\"processes\": 3}",
        "{\"processes\": []}",
        "{\"processes\": [1]}",
        "{\"processes\": [{\"pid\": \"x\", \"uptime_seconds\": -5}]}",
        "{\"processes\": [{\"uptime_seconds\": 1e300}]}",
        "{\"processes\": [{\"uptime_seconds\": \"long\"}]}",
    };
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct ph_origin origin = parse(answers[i], 0);
        assert_int_equal(origin.pid, 0);
        assert_int_equal(origin.start_ns, 0);
    }
}

static void the_program_is_the_first_mapping(void **state)
{
    struct ph_origin origin = of_file("/usr/sbin/nginx", "abcd");
    assert_string_equal(origin.program, "/usr/sbin/nginx");
    assert_string_equal(origin.build_id, "abcd");
    assert_int_equal(origin.base_address, 0x5000);
    assert_string_equal(ph_origin_name(&origin), "nginx");
}

static void a_replaced_file_keeps_its_name(void **state)
{
    struct ph_origin origin = of_file("/usr/sbin/nginx (deleted)", "");
    assert_string_equal(origin.program, "/usr/sbin/nginx");
}

static void of_a_long_path_the_end_is_kept(void **state)
{
    char path[400];
    memset(path, 'x', sizeof(path));
    strcpy(path + sizeof(path) - 8, "/server");
    struct ph_origin origin = of_file(path, "");
    assert_int_equal(strlen(origin.program), PH_ORIGIN_TEXT_MAX - 1);
    assert_string_equal(ph_origin_name(&origin), "server");
}

static void a_profile_without_mappings_tells_no_program(void **state)
{
    struct ph_origin origin = {0};
    struct ph_profile *profile = rich_heap(1);
    ph_origin_of_profile(profile, &origin);
    ph_profile_free(profile);
    assert_string_equal(origin.program, "");
    assert_string_equal(ph_origin_name(&origin), "?");
}

static const struct ph_origin nginx = {"/usr/sbin/nginx", "abcd", 0x5000, 10, 900 * S};

static void expect_change(struct ph_origin now, enum ph_origin_change change)
{
    assert_int_equal(ph_origin_compare(&nginx, &now), change);
    assert_int_equal(ph_origin_compare(&now, &nginx), change);
}

static void a_process_is_the_same_while_nothing_known_differs(void **state)
{
    struct ph_origin now = nginx;
    expect_change(now, PH_ORIGIN_SAME);
    now.start_ns += S; /* told in another second */
    expect_change(now, PH_ORIGIN_SAME);
    expect_change((struct ph_origin){.program = "/usr/sbin/nginx"}, PH_ORIGIN_SAME);
    expect_change((struct ph_origin){.program = ""}, PH_ORIGIN_SAME);
}

static void each_of_pid_start_place_and_build_tells_a_restart(void **state)
{
    struct ph_origin now = nginx;
    now.pid = 11;
    expect_change(now, PH_ORIGIN_RESTARTED);
    now = nginx;
    now.start_ns += 5 * S;
    expect_change(now, PH_ORIGIN_RESTARTED);
    now = nginx;
    now.base_address = 0x7000;
    expect_change(now, PH_ORIGIN_RESTARTED);
    now = nginx;
    strcpy(now.build_id, "dcba");
    expect_change(now, PH_ORIGIN_RESTARTED);
    now = nginx;
    strcpy(now.program, "/opt/nginx"); /* the same file name elsewhere */
    strcpy(now.build_id, "dcba");
    expect_change(now, PH_ORIGIN_RESTARTED);
}

static void another_name_is_another_program_unless_the_build_is_the_same(void **state)
{
    struct ph_origin now = nginx;
    strcpy(now.program, "/usr/bin/redis-server");
    expect_change(now, PH_ORIGIN_SAME);
    now.build_id[0] = '\0';
    expect_change(now, PH_ORIGIN_OTHER_PROGRAM);
    strcpy(now.build_id, "dcba");
    expect_change(now, PH_ORIGIN_OTHER_PROGRAM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_process_with_the_port_is_the_one),
        cmocka_unit_test(of_several_processes_the_one_asked_for_is_taken),
        cmocka_unit_test(without_roles_the_first_is_taken),
        cmocka_unit_test(what_makes_no_sense_is_unknown),
        cmocka_unit_test(the_program_is_the_first_mapping),
        cmocka_unit_test(a_replaced_file_keeps_its_name),
        cmocka_unit_test(of_a_long_path_the_end_is_kept),
        cmocka_unit_test(a_profile_without_mappings_tells_no_program),
        cmocka_unit_test(a_process_is_the_same_while_nothing_known_differs),
        cmocka_unit_test(each_of_pid_start_place_and_build_tells_a_restart),
        cmocka_unit_test(another_name_is_another_program_unless_the_build_is_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
