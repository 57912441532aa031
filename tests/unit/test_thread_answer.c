#include "golden.h"
#include "hostile.h"
#include "tools/thread_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct ph_thread_answer parse(const char *json)
{
    struct ph_thread_answer answer;
    struct ph_error error = {0};
    assert_int_equal(ph_thread_answer_parse(json, strlen(json), &answer, &error), 0);
    return answer;
}

static struct ph_thread_answer parse_golden(const char *name)
{
    char *json = golden_read(name);
    struct ph_thread_answer answer = parse(json);
    free(json); /* nothing of it is needed any more */
    return answer;
}

static void threads_come_with_all_that_is_told_of_them(void **state)
{
    struct ph_thread_answer answer = parse_golden("threads.json");
    assert_int_equal(answer.pid, 4711);
    assert_string_equal(answer.process, "bankd");
    assert_string_equal(answer.taken_at, "2026-07-25T17:20:00.123Z");
    assert_int_equal(answer.duration_ns, 3120000);
    assert_int_equal(answer.interrupted_count, 1);
    assert_int_equal(answer.row_count, 10);
    const struct ph_thread_row *row = ph_thread_answer_find(&answer, 4713);
    assert_non_null(row);
    assert_int_equal(row->pid, 4711);
    assert_string_equal(row->name, "reader");
    assert_int_equal(row->cpu_ns, 20000000);
    assert_string_equal(row->wait.peer, "127.0.0.1:50122");
    assert_int_equal(row->wait.fd, 12);
    assert_int_equal(row->wait.since_ns, INT64_C(95000000000));
    assert_int_equal(row->frame_count, 2);
    assert_string_equal(row->frames[0].function, "recv");
    assert_int_equal(row->frames[1].offset, 0xaa);
    assert_string_equal(row->frames[1].function, "");
    row = ph_thread_answer_find(&answer, 4714);
    assert_true(row->wait.mutex == 0x55d0c0de1000);
    assert_int_equal(row->wait.owner_tid, 4715);
    assert_string_equal(ph_thread_answer_find(&answer, 4712)->labels, "request=GET /balance");
    assert_null(ph_thread_answer_find(&answer, 1));
    ph_thread_answer_fini(&answer);
}

static void deadlocks_are_lists_of_threads_of_one_process_or_of_one_of_many(void **state)
{
    struct ph_thread_answer answer =
        parse("{\"threads\": [], \"deadlocks\": [[7, 8], {\"pid\": 1, \"tids\": [9]}, [], 5, {}]}");
    assert_int_equal(answer.cycle_count, 2);
    assert_int_equal(answer.cycles[0].count, 2);
    assert_int_equal(answer.cycles[0].tids[1], 8);
    assert_int_equal(answer.cycles[1].tids[0], 9);
    ph_thread_answer_fini(&answer);
}

static void what_is_missing_or_of_another_type_is_unknown(void **state)
{
    struct ph_thread_answer answer = parse("{\"pid\": \"7\", \"comments\": [3, \"\", \"late\"], \"threads\": "
                                           "[{\"tid\": -1, \"name\": 7, \"cpu_ns\": \"x\", \"wait\": "
                                           "{\"fd\": -5, \"since_ns\": -1, \"mutex\": []}, \"labels\": {\"a\": 1, "
                                           "\"b\": []}, \"stack\": [7], \"truncated\": true}]}");
    const struct ph_thread_row *row = &answer.rows[0];
    assert_int_equal(answer.pid, -1);
    assert_int_equal(answer.duration_ns, -1);
    assert_int_equal(answer.interrupted_count, -1);
    assert_int_equal(answer.comment_count, 1);
    assert_string_equal(answer.comments[0], "late");
    assert_int_equal(row->tid, 0);
    assert_int_equal(row->pid, 0);
    assert_string_equal(row->name, "");
    assert_int_equal(row->cpu_ns, -1);
    assert_int_equal(row->wait.fd, -1);
    assert_int_equal(row->wait.since_ns, -1);
    assert_true(row->wait.mutex == 0);
    assert_string_equal(row->labels, "a=1, b=?");
    assert_string_equal(row->truncated, "not complete");
    assert_int_equal(row->frame_count, 1);
    assert_string_equal(row->frames[0].module, "");
    ph_thread_answer_fini(&answer);
}

static int parse_and_release(const char *bytes, size_t size_bytes, struct ph_error *error)
{
    struct ph_thread_answer answer;
    int failed = ph_thread_answer_parse(bytes, size_bytes, &answer, error);
    if (failed == 0)
        ph_thread_answer_fini(&answer);
    return failed;
}

static void an_answer_that_is_cut_anywhere_is_refused(void **state)
{
    char *json = golden_read("threads.json");
    size_t size_bytes = strlen(json) - 1; /* without the line end */
    assert_int_equal(hostile_cut(parse_and_release, json, size_bytes), size_bytes);
    free(json);
}

static void refuse(const char *json, const char *text)
{
    hostile_refuse(parse_and_release, json, strlen(json), -EPROTO, text);
}

static void what_is_no_answer_is_told_with_its_place(void **state)
{
    refuse("<html>", "it did not answer in JSON: line 1, column 1: '[' or '{' expected near '<'");
    refuse("[]", "the answer is JSON, but it lists no threads");
    refuse("{\"threads\": {}}", "the answer is JSON, but it lists no threads");
    refuse("{\"threads\": [{}, 7]}", "thread 1 is no object");
}

static const char *shown(const struct ph_thread_answer *answer)
{
    static char text[128];
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < answer->row_count; i++)
        if (answer->rows[i].is_shown)
            used += (size_t)snprintf(text + used, sizeof(text) - used, " %d", (int)answer->rows[i].tid);
    return text;
}

static void a_filter_keeps_those_that_wait_long_enough(void **state)
{
    struct ph_thread_answer answer = parse_golden("threads.json");
    struct ph_thread_filter filter = {.waiting_ns = INT64_C(7000000000)};
    assert_int_equal(ph_thread_answer_filter(&answer, &filter), 1);
    assert_string_equal(shown(&answer), " 4713 4714 4715 4725");
    assert_int_equal(answer.shown_count, 4);
    filter.waiting_ns++;
    ph_thread_answer_filter(&answer, &filter);
    assert_string_equal(shown(&answer), " 4713 4714 4715");
    ph_thread_answer_fini(&answer);
}

static void a_filter_keeps_those_whose_name_matches(void **state)
{
    struct ph_thread_answer answer = parse_golden("threads.json");
    regex_t name;
    struct ph_thread_filter filter = {.name = &name};
    assert_int_equal(regcomp(&name, "^(idle|mover)-[b3]$", REG_EXTENDED | REG_NOSUB), 0);
    assert_int_equal(ph_thread_answer_filter(&answer, &filter), 0);
    assert_string_equal(shown(&answer), " 4715 4723");
    filter.waiting_ns = 1;
    assert_int_equal(ph_thread_answer_filter(&answer, &filter), 1);
    assert_string_equal(shown(&answer), " 4715");
    regfree(&name);
    assert_int_equal(regcomp(&name, "^mover", REG_EXTENDED | REG_NOSUB), 0);
    assert_int_equal(ph_thread_answer_filter(&answer, &filter), 0);
    regfree(&name);
    ph_thread_answer_fini(&answer);
}

static void the_json_has_what_is_shown_and_all_else_as_it_was(void **state)
{
    struct ph_thread_answer answer = parse_golden("threads.json");
    struct ph_thread_filter filter = {.waiting_ns = INT64_C(90000000000)};
    struct ph_buf json = PH_BUF_INIT;
    ph_thread_answer_filter(&answer, &filter);
    assert_int_equal(ph_thread_answer_json(&answer, &json), 0);
    struct ph_thread_answer again = parse(json.data);
    assert_int_equal(again.row_count, 1);
    assert_string_equal(again.rows[0].name, "reader");
    assert_string_equal(again.rows[0].frames[1].module, "/opt/bank/plugin.so");
    assert_int_equal(again.cycle_count, 1);
    assert_string_equal(again.process, "bankd");
    ph_thread_answer_fini(&again);
    ph_thread_answer_fini(&answer);
    ph_buf_fini(&json);
}

static void processes_are_counted_among_those_that_are_shown(void **state)
{
    struct ph_thread_answer answer = parse_golden("threads_family.json");
    struct ph_thread_filter filter = {.waiting_ns = INT64_C(4000000000)};
    assert_int_equal(ph_thread_answer_pid_count(&answer), 3);
    ph_thread_answer_filter(&answer, &filter);
    assert_int_equal(ph_thread_answer_pid_count(&answer), 1);
    ph_thread_answer_fini(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_come_with_all_that_is_told_of_them),
        cmocka_unit_test(deadlocks_are_lists_of_threads_of_one_process_or_of_one_of_many),
        cmocka_unit_test(what_is_missing_or_of_another_type_is_unknown),
        cmocka_unit_test(an_answer_that_is_cut_anywhere_is_refused),
        cmocka_unit_test(what_is_no_answer_is_told_with_its_place),
        cmocka_unit_test(a_filter_keeps_those_that_wait_long_enough),
        cmocka_unit_test(a_filter_keeps_those_whose_name_matches),
        cmocka_unit_test(the_json_has_what_is_shown_and_all_else_as_it_was),
        cmocka_unit_test(processes_are_counted_among_those_that_are_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
