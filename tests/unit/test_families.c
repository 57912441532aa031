#include "tools/families.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_MAX 600

/* A host that was made up: processes by number, the front of the family of each, and who answers how. */
struct host {
    struct {
        pid_t pid, ppid, front;
        uid_t user;
        bool hangs, is_silent; /* silent: not at a socket of its own, but listed by its relatives */
        const char *name;
    } processes[HOST_MAX];
    size_t count, asked_count, round_count, most_together;
    pid_t asked[HOST_MAX];
    const char *answer; /* of everybody, instead of the list of his family */
};

static struct host host;

static void clear(void)
{
    memset(&host, 0, sizeof(host));
}

static void put(pid_t pid, pid_t ppid, pid_t front, const char *name)
{
    host.processes[host.count].pid = pid;
    host.processes[host.count].ppid = ppid;
    host.processes[host.count].front = front;
    host.processes[host.count++].name = name;
}

/* A server and its workers, one process number after the other. */
static void put_server(pid_t pid, pid_t ppid, size_t worker_count, const char *name)
{
    put(pid, ppid, pid, name);
    for (size_t i = 1; i <= worker_count; i++)
        put(pid + (pid_t)i, pid, pid, name);
}

static size_t find(pid_t pid)
{
    size_t i = 0;
    while (i < host.count && host.processes[i].pid != pid)
        i++;
    assert_true(i < host.count);
    return i;
}

/* The front comes last here: no reader may depend on the order. */
static void list_family(pid_t front, struct ph_buf *out)
{
    const char *comma = "";
    ph_buf_printf(out, "{\"url\":\"http://127.0.0.1:%d\",\"processes\":[", (int)front);
    for (size_t i = host.count; i-- > 0;) {
        if (host.processes[i].front != front)
            continue;
        ph_buf_printf(out,
                      "%s{\"pid\":%d,\"ppid\":%d,\"role\":\"%s\",\"name\":\"%s\",\"command\":\"%s -x\","
                      "\"uptime_seconds\":%d.5,\"rss_bytes\":%d}",
                      comma, (int)host.processes[i].pid, (int)host.processes[i].ppid,
                      host.processes[i].pid == front ? "front" : "member", host.processes[i].name,
                      host.processes[i].name, (int)host.processes[i].pid, 1000 * (int)host.processes[i].pid);
        comma = ",";
    }
    ph_buf_text(out, "]}");
}

static void ask(void *context, const pid_t *pids, size_t count, long timeout_ms, struct ph_http_answer *ret_answers)
{
    assert_true(timeout_ms > 0 && timeout_ms <= 1000);
    host.round_count++;
    if (count > host.most_together)
        host.most_together = count;
    for (size_t i = 0; i < count; i++) {
        size_t place = find(pids[i]);
        host.asked[host.asked_count++] = pids[i];
        if (host.processes[place].hangs)
            ph_error_set(&ret_answers[i].error, -ETIMEDOUT, "no answer within 1 s");
        else if (host.answer)
            ph_buf_text(&ret_answers[i].body, host.answer);
        else
            list_family(host.processes[place].front, &ret_answers[i].body);
    }
}

static int look(void *context, pid_t pid, struct ph_proc_status *ret_status)
{
    *ret_status = (struct ph_proc_status){.user = (uid_t)-1};
    for (size_t i = 0; i < host.count; i++)
        if (host.processes[i].pid == pid) {
            ret_status->ppid = host.processes[i].ppid;
            ret_status->user = host.processes[i].user;
            snprintf(ret_status->name, sizeof(ret_status->name), "%s", host.processes[i].name);
            return 0;
        }
    return -ENOENT;
}

static struct ph_families make(void)
{
    struct ph_families_source source = {ask, look, NULL};
    struct ph_families families;
    pid_t pids[HOST_MAX];
    size_t count = 0;
    for (size_t i = 0; i < host.count; i++)
        if (!host.processes[i].is_silent)
            pids[count++] = host.processes[i].pid;
    assert_int_equal(ph_families_make(&source, pids, count, 1000, &families), 0);
    return families;
}

static void expect_members(const struct ph_families *families, size_t first, size_t count, const pid_t *pids)
{
    assert_int_equal(ph_family_count(families, first), count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(families->items[first + i].pid, pids[i]);
}

static void of_a_family_one_process_is_asked(void **state)
{
    clear();
    put_server(100, 1, 4, "nginx");
    struct ph_families families = make();
    assert_int_equal(host.asked_count, 1);
    assert_int_equal(host.asked[0], 100);
    assert_int_equal(families.count, 5);
    expect_members(&families, 0, 5, (const pid_t[]){100, 101, 102, 103, 104});
    assert_true(ph_instance_is_front(&families.items[0]));
    assert_false(ph_instance_is_front(&families.items[1]));
    const struct ph_instance *worker = &families.items[2];
    assert_int_equal(worker->ppid, 100);
    assert_true(worker->is_told);
    assert_int_equal(worker->error.code, 0);
    assert_string_equal(worker->url, "http://127.0.0.1:100");
    assert_string_equal(worker->name, "nginx");
    assert_string_equal(worker->command, "nginx -x");
    assert_int_equal(worker->rss_bytes, 102000);
    assert_true(worker->uptime_seconds == 102.5);
    ph_families_fini(&families);
}

static void hundreds_of_workers_cost_no_more_than_one(void **state)
{
    clear();
    put_server(100, 1, 200, "apache2");
    put_server(1000, 1, 100, "postgres");
    put_server(2000, 1, 4, "nginx");
    struct ph_families families = make();
    assert_int_equal(host.asked_count, 3);
    assert_int_equal(host.round_count, 1);
    assert_int_equal(families.count, 201 + 101 + 5);
    assert_int_equal(ph_family_count(&families, 0), 201);
    assert_int_equal(ph_family_count(&families, 201), 101);
    assert_int_equal(ph_family_count(&families, 302), 5);
    ph_families_fini(&families);
}

static void servers_that_have_nothing_to_do_with_each_other_are_all_asked(void **state)
{
    clear();
    for (pid_t i = 0; i < 150; i++)
        put(100 + i, 1, 100 + i, "redis-server");
    struct ph_families families = make();
    assert_int_equal(families.count, 150);
    assert_int_equal(host.asked_count, 150);
    assert_true(host.most_together <= 128);
    for (size_t i = 0; i < families.count; i++)
        assert_true(ph_instance_is_front(&families.items[i]));
    ph_families_fini(&families);
}

/* Their parent has ended, and process 1 has adopted them. */
static void orphans_find_their_new_front(void **state)
{
    clear();
    for (pid_t i = 0; i < 300; i++)
        put(100 + i, 1, 177, "apache2");
    struct ph_families families = make();
    assert_int_equal(host.asked_count, 1);
    assert_int_equal(families.count, 300);
    assert_int_equal(families.items[0].pid, 177);
    assert_int_equal(families.items[1].pid, 100);
    assert_int_equal(ph_family_count(&families, 0), 300);
    ph_families_fini(&families);
}

static void a_front_that_hangs_is_named_by_a_worker(void **state)
{
    clear();
    put_server(100, 1, 200, "apache2");
    host.processes[find(100)].hangs = true;
    host.processes[find(101)].hangs = true;
    struct ph_families families = make();
    assert_true(host.asked_count < 10);
    assert_int_equal(ph_family_count(&families, 0), 201);
    assert_int_equal(families.items[0].pid, 100);
    assert_int_equal(families.items[0].error.code, -ETIMEDOUT);
    assert_true(ph_instance_is_front(&families.items[0]));
    assert_int_equal(families.items[0].rss_bytes, 100000);
    ph_families_fini(&families);
}

static void what_does_not_answer_is_listed_all_the_same(void **state)
{
    clear();
    put_server(100, 1, 300, "apache2");
    put(500, 1, 500, "nginx");
    for (size_t i = 0; i < 301; i++)
        host.processes[i].hangs = true;
    struct ph_families families = make();
    assert_int_equal(families.count, 302);
    for (size_t i = 0; i < 301; i++) {
        assert_int_equal(families.items[i].error.code, -ETIMEDOUT);
        assert_false(families.items[i].is_told);
        assert_int_equal(ph_family_count(&families, i), 1);
        assert_string_equal(families.items[i].name, "apache2");
    }
    assert_true(families.items[301].is_told);
    assert_true(host.round_count < 10);
    ph_families_fini(&families);
}

static void a_server_that_another_has_started_is_a_family_of_its_own(void **state)
{
    clear();
    put(100, 1, 100, "supervisord");
    put_server(200, 100, 2, "gunicorn");
    put_server(300, 100, 2, "nginx");
    struct ph_families families = make();
    assert_int_equal(families.count, 7);
    assert_int_equal(host.asked_count, 3);
    assert_int_equal(host.asked[0], 100);
    expect_members(&families, 0, 1, (const pid_t[]){100});
    expect_members(&families, 1, 3, (const pid_t[]){200, 201, 202});
    expect_members(&families, 4, 3, (const pid_t[]){300, 301, 302});
    ph_families_fini(&families);
}

static void a_member_without_a_socket_belongs_to_the_family(void **state)
{
    clear();
    put_server(100, 1, 2, "nginx");
    host.processes[find(101)].is_silent = true;
    struct ph_families families = make();
    expect_members(&families, 0, 3, (const pid_t[]){100, 101, 102});
    ph_families_fini(&families);
}

/* Anybody can listen at @porthole/PID. */
static void nobody_speaks_for_another_users_processes(void **state)
{
    clear();
    put(100, 1, 100, "nginx");
    put(200, 1, 100, "liar");
    put(201, 1, 100, "friend");
    host.processes[find(200)].user = host.processes[find(201)].user = 4242;
    host.processes[find(100)].hangs = true;
    struct ph_families families = make();
    assert_int_equal(families.count, 3);
    assert_int_equal(ph_family_count(&families, 0), 3);
    assert_false(families.items[0].is_told); /* what it says of itself is its own affair */
    assert_true(families.items[1].is_told && families.items[2].is_told);
    assert_true(host.asked_count == 2 || host.asked_count == 3);
    ph_families_fini(&families);
}

static void an_answer_that_makes_no_sense_is_told(void **state)
{
    static const char *const answers[][2] = {
        {"not json", "it did not answer in JSON"},
        {"", "it did not answer in JSON"},
        {"[]", "it did not list itself"},
        {"{\"processes\":7}", "it did not list itself"},
        {"{\"processes\":[]}", "it did not list itself"},
        {"{\"processes\":[{\"pid\":99}]}", "it did not list itself"},
        {"{\"processes\":[{\"pid\":4294967396}]}", "it did not list itself"},
    };
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        clear();
        put(100, 1, 100, "nginx");
        host.answer = answers[i][0];
        struct ph_families families = make();
        assert_int_equal(families.count, 1);
        assert_int_equal(families.items[0].error.code, -EPROTO);
        assert_string_equal(families.items[0].error.text, answers[i][1]);
        ph_families_fini(&families);
    }
}

static void rows_without_facts_are_told_as_far_as_they_go(void **state)
{
    clear();
    put(100, 1, 100, "nginx");
    host.answer = "{\"processes\":[{\"pid\":100,\"rss_bytes\":\"x\"},{\"pid\":-5},{},7,{\"pid\":100}]}";
    struct ph_families families = make();
    assert_int_equal(families.count, 1);
    assert_true(ph_instance_is_front(&families.items[0]));
    assert_null(families.items[0].url);
    assert_int_equal(families.items[0].rss_bytes, -1);
    assert_true(families.items[0].uptime_seconds < 0);
    assert_string_equal(families.items[0].command, "[?]");
    ph_families_fini(&families);
}

static void without_processes_there_is_nothing_to_ask(void **state)
{
    clear();
    struct ph_families families = make();
    assert_int_equal(families.count, 0);
    assert_int_equal(host.round_count, 0);
    ph_families_fini(&families);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_family_one_process_is_asked),
        cmocka_unit_test(hundreds_of_workers_cost_no_more_than_one),
        cmocka_unit_test(servers_that_have_nothing_to_do_with_each_other_are_all_asked),
        cmocka_unit_test(orphans_find_their_new_front),
        cmocka_unit_test(a_front_that_hangs_is_named_by_a_worker),
        cmocka_unit_test(what_does_not_answer_is_listed_all_the_same),
        cmocka_unit_test(a_server_that_another_has_started_is_a_family_of_its_own),
        cmocka_unit_test(a_member_without_a_socket_belongs_to_the_family),
        cmocka_unit_test(nobody_speaks_for_another_users_processes),
        cmocka_unit_test(an_answer_that_makes_no_sense_is_told),
        cmocka_unit_test(rows_without_facts_are_told_as_far_as_they_go),
        cmocka_unit_test(without_processes_there_is_nothing_to_ask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
