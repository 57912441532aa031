#include "tools/origin.h"

#include "rich.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
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

static void the_oldest_process_stands_for_a_family(void **state)
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

static const struct ph_origin nginx = {
    .program = "/usr/sbin/nginx", .build_id = "abcd", .base_address = 0x5000, .pid = 10, .start_ns = 900 * S};

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

/* ---- families ---- */

static const char *family_json(const int *pids, const int *uptimes_seconds, size_t count)
{
    static char json[32768];
    size_t used = (size_t)snprintf(json, sizeof(json), "{\"processes\": [");
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(json + used, sizeof(json) - used,
                                 "%s{\"pid\": %d, \"role\": \"%s\", \"uptime_seconds\": %d}", i ? "," : "", pids[i],
                                 i ? "member" : "front", uptimes_seconds[i]);
    snprintf(json + used, sizeof(json) - used, "]}");
    return json;
}

#define FAMILY(asked, pids, uptimes)                                                                               \
    parse(family_json((const int[])pids, (const int[])uptimes, sizeof((const int[])pids) / sizeof(int)), asked)
#define LIST(...)                                                                                                  \
    {                                                                                                              \
        __VA_ARGS__                                                                                                \
    }

static void expect_family(struct ph_origin before, struct ph_origin now, enum ph_origin_change change)
{
    assert_int_equal(ph_origin_compare(&before, &now), change);
}

static void workers_that_come_and_go_are_no_restart(void **state)
{
    struct ph_origin before = FAMILY(0, LIST(10, 11, 12), LIST(100, 90, 80));
    assert_int_equal(before.family_count, 3);
    expect_family(before, FAMILY(0, LIST(10, 20, 21), LIST(100, 3, 2)), PH_ORIGIN_SAME);
    /* The front has ended, another follows. */
    expect_family(before, FAMILY(0, LIST(12, 20), LIST(80, 3)), PH_ORIGIN_SAME);
    expect_family(before, FAMILY(0, LIST(20, 21), LIST(3, 2)), PH_ORIGIN_RESTARTED);
    /* The same numbers again. */
    expect_family(before, FAMILY(0, LIST(10, 11, 12), LIST(30, 20, 10)), PH_ORIGIN_RESTARTED);
}

static void a_log_that_knows_only_the_oldest_goes_on_with_the_family(void **state)
{
    struct ph_origin before = {.pid = 10, .start_ns = 900 * S};
    expect_family(before, FAMILY(0, LIST(11, 10, 12), LIST(90, 100, 80)), PH_ORIGIN_SAME);
    expect_family(before, FAMILY(0, LIST(11, 12), LIST(90, 80)), PH_ORIGIN_RESTARTED);
    before =
        (struct ph_origin){.pid = 12, .start_ns = 920 * S}; /* not the oldest any more, as far as is known now */
    expect_family(before, FAMILY(0, LIST(11, 10, 12), LIST(90, 100, 80)), PH_ORIGIN_SAME);
}

static void the_front_stands_for_its_family_and_a_member_for_itself(void **state)
{
    struct ph_origin front = FAMILY(10, LIST(10, 11), LIST(100, 90));
    assert_int_equal(front.pid, 10);
    assert_int_equal(front.family_count, 2);
    assert_false(front.is_member);
    struct ph_origin member = FAMILY(11, LIST(10, 11), LIST(100, 90));
    assert_int_equal(member.pid, 11);
    assert_int_equal(member.family_count, 0);
    assert_true(member.is_member);
    /* Another process got its number. */
    expect_family(member, FAMILY(11, LIST(10, 11), LIST(100, 5)), PH_ORIGIN_RESTARTED);
}

static void of_many_processes_the_oldest_are_known(void **state)
{
    int pids[300], uptimes_seconds[300];
    for (int i = 0; i < 300; i++) {
        pids[i] = 1000 + i;
        uptimes_seconds[i] = 1 + (i * 7) % 300;
    }
    struct ph_origin origin = parse(family_json(pids, uptimes_seconds, 300), 0);
    assert_int_equal(origin.family_count, PH_ORIGIN_PROCESSES_MAX);
    for (uint32_t i = 0; i < origin.family_count; i++)
        assert_int_equal(origin.family[i].start_ns, (1000 - 300 + (int64_t)i) * S);
    assert_int_equal(origin.pid, origin.family[0].pid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_that_come_and_go_are_no_restart),
        cmocka_unit_test(a_log_that_knows_only_the_oldest_goes_on_with_the_family),
        cmocka_unit_test(the_front_stands_for_its_family_and_a_member_for_itself),
        cmocka_unit_test(of_many_processes_the_oldest_are_known),
        cmocka_unit_test(the_oldest_process_stands_for_a_family),
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
