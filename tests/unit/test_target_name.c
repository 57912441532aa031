#include "tools/target_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROCESSES_MAX 16

static struct ph_instance processes[PROCESSES_MAX];
static struct ph_families families = {processes, 0};

static void clear(void)
{
    families.count = 0;
}

static void put(pid_t pid, pid_t family, const char *name, const char *command)
{
    processes[families.count++] = (struct ph_instance){.pid = pid,
                                                       .ppid = pid == family ? 1 : family,
                                                       .family = family,
                                                       .is_told = true,
                                                       .name = (char *)name,
                                                       .command = (char *)command};
}

static void put_silent(pid_t pid, pid_t ppid, const char *name)
{
    put(pid, pid, name, NULL);
    processes[families.count - 1].ppid = ppid;
    processes[families.count - 1].is_told = false;
}

static void expect(const char *name, pid_t pid)
{
    pid_t found = 0;
    struct ph_error error = {0};
    if (ph_target_choose(&families, name, &found, &error) < 0)
        fail_msg("%s", error.text);
    assert_int_equal(found, pid);
}

static void expect_error(const char *name, int code, const char *part)
{
    pid_t found = 0;
    struct ph_error error;
    assert_int_equal(ph_target_choose(&families, name, &found, &error), code);
    if (!strstr(error.text, part))
        fail_msg("no \"%s\" in: %s", part, error.text);
    assert_int_equal(found, 0);
}

static void a_server_is_found_by_its_name_however_many_processes_it_has(void **state)
{
    clear();
    put(100, 100, "nginx", "nginx: master process nginx");
    for (pid_t pid = 101; pid < 105; pid++)
        put(pid, 100, "nginx", "nginx: worker process");
    put(200, 200, "redis-server", "redis-server 127.0.0.1:6379");
    expect("nginx", 100);
    expect("redis-server", 200);
}

static void the_program_counts_as_well_as_the_name(void **state)
{
    clear();
    put(100, 100, "renamed", "/usr/sbin/nginx -g x");
    put(200, 200, "php-fpm8.2", "php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)");
    put(300, 300, "a-very-long-nam", "./a-very-long-name --x");
    put(400, 400, "no-command", NULL);
    put(500, 500, NULL, NULL);
    expect("renamed", 100);
    expect("nginx", 100);
    expect("php-fpm", 200);
    expect("php-fpm8.2", 200);
    expect("a-very-long-name", 300);
    expect("a-very-long-nam", 300);
    expect("no-command", 400);
    expect_error("ngin", -ENOENT, "ngin: no such file, and no server with Porthole is called so");
    expect_error("usr", -ENOENT, "porthole ps");
    expect_error("a-very", -ENOENT, "a-very");
}

static void a_worker_that_calls_itself_otherwise_finds_its_server(void **state)
{
    clear();
    put(100, 100, "postgres", "/usr/lib/postgresql/15/bin/postgres -D x");
    put(101, 100, "checkpointer", "postgres: checkpointer");
    expect("checkpointer", 100);
}

static void several_servers_of_one_name_are_told(void **state)
{
    clear();
    for (pid_t pid = 100; pid < 110; pid++)
        put(pid, pid, "redis-server", NULL);
    expect_error(
        "redis-server", -EEXIST,
        "10 servers are called redis-server: choose by process id: 100, 101, 102, 103, 104, 105, 106, 107, ...");
    families.count = 2;
    expect_error("redis-server", -EEXIST, "by process id: 100, 101");
}

/* A server of another user: which of its processes belong together is not known. */
static void of_processes_that_do_not_answer_the_parent_stands_for_all(void **state)
{
    clear();
    put_silent(100, 1, "nginx");
    put_silent(101, 100, "nginx");
    put_silent(102, 100, "nginx");
    expect("nginx", 100);
}

static void what_is_a_process_or_a_path_is_not_looked_for(void **state)
{
    static const char *const words[] = {"123", "http://h:1", "./nginx", "/usr/sbin/nginx"};
    static const enum ph_target_kind kinds[] = {PH_TARGET_PID, PH_TARGET_URL, PH_TARGET_FILE, PH_TARGET_FILE};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct ph_target target;
        assert_int_equal(ph_target_find(words[i], &target, NULL), 0);
        assert_int_equal(target.kind, kinds[i]);
        assert_false(target.is_named);
    }
}

static void a_slip_in_the_name_of_a_file_is_a_file_that_is_missing(void **state)
{
    struct ph_target target;
    struct ph_error error;
    assert_int_equal(ph_target_find("no-such-profile.pb.gz", &target, &error), 0);
    assert_int_equal(target.kind, PH_TARGET_FILE);
    assert_int_equal(ph_target_find("no-such-server", &target, &error), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_is_found_by_its_name_however_many_processes_it_has),
        cmocka_unit_test(the_program_counts_as_well_as_the_name),
        cmocka_unit_test(a_worker_that_calls_itself_otherwise_finds_its_server),
        cmocka_unit_test(several_servers_of_one_name_are_told),
        cmocka_unit_test(of_processes_that_do_not_answer_the_parent_stands_for_all),
        cmocka_unit_test(what_is_a_process_or_a_path_is_not_looked_for),
        cmocka_unit_test(a_slip_in_the_name_of_a_file_is_a_file_that_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
