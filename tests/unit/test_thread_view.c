/* What a dump looks like is in tests/golden/threads_*.txt. */
#include "base/visible.h"
#include "golden.h"
#include "tools/thread_view_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *text_of_json(const char *json, struct ph_thread_view view)
{
    struct ph_thread_answer answer;
    struct ph_buf out = PH_BUF_INIT;
    struct ph_error error = {0};
    assert_int_equal(ph_thread_answer_parse(json, strlen(json), &answer, &error), 0);
    view.answer = &answer;
    view.subject = "process 4711";
    assert_int_equal(ph_thread_view_write(&view, &out), 0);
    ph_thread_answer_fini(&answer);
    return ph_buf_take(&out, NULL);
}

static char *text_of(const char *name, struct ph_thread_view view)
{
    char *json = golden_read(name), *text = text_of_json(json, view);
    free(json);
    return text;
}

static void expect_golden(const char *golden, const char *name, struct ph_thread_view view)
{
    char *text = text_of(name, view);
    golden_expect(golden, text);
    free(text);
}

static void a_pipe_gets_lines_that_are_not_cut(void **state)
{
    expect_golden("threads_pipe.txt", "threads.json", (struct ph_thread_view){0});
}

static void a_terminal_gets_what_fits(void **state)
{
    char *text = text_of("threads.json", (struct ph_thread_view){.width = 60, .has_utf8 = true});
    golden_expect("threads_60.txt", text);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        assert_true(ph_visible_width(line) <= 60);
    free(text);
}

static void equal_stacks_are_shown_once(void **state)
{
    expect_golden("threads_group.txt", "threads.json", (struct ph_thread_view){.by = PH_THREADS_BY_STACK});
}

static void a_group_tells_what_all_of_it_wait_for(void **state)
{
    static const char json[] =
        "{\"threads\": [{\"tid\": 1, \"stack\": [{\"address\": \"0x5\"}], \"wait\": {\"call\": \"recv\", \"fd\": "
        "3, \"peer\": "
        "\"a:1\", \"mutex\": \"0x10\", \"owner_tid\": 9}}, {\"tid\": 2, \"stack\": [{\"address\": \"0x5\"}], "
        "\"wait\": "
        "{\"call\": \"recv\", \"fd\": %s, \"peer\": \"a:%s\", \"mutex\": \"0x10\", \"owner_tid\": %s}}]}";
    static const struct {
        const char *fd, *peer, *owner, *line;
    } cases[] = {
        {"3", "1", "9", "\n  waits in recv, fd 3, peer a:1 for mutex 0x10, held by 9\n"},
        {"4", "1", "9", "\n  waits in recv, peer a:1 for mutex 0x10, held by 9\n"},
        {"3", "2", "9", "\n  waits in recv, fd 3 for mutex 0x10, held by 9\n"},
        {"3", "1", "8", "\n  waits in recv, fd 3, peer a:1\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char filled[sizeof(json)];
        snprintf(filled, sizeof(filled), json, cases[i].fd, cases[i].peer, cases[i].owner);
        char *text = text_of_json(filled, (struct ph_thread_view){.by = PH_THREADS_BY_STACK});
        assert_non_null(strstr(text, cases[i].line));
        free(text);
    }
}

static void a_family_is_shown_process_by_process(void **state)
{
    expect_golden("threads_family.txt", "threads_family.json", (struct ph_thread_view){0});
    expect_golden("threads_pids.txt", "threads_family.json", (struct ph_thread_view){.by = PH_THREADS_BY_PID});
}

static void colours_are_for_who_wants_them(void **state)
{
    char *plain = text_of("threads.json", (struct ph_thread_view){0});
    char *coloured = text_of("threads.json", (struct ph_thread_view){.has_colour = true});
    assert_null(strchr(plain, '\x1b'));
    assert_non_null(strstr(coloured, "\x1b[1;31mDEADLOCK of 2"));
    free(plain);
    free(coloured);
}

/* ---- words ---- */

static struct ph_thread_group group_of(struct ph_thread_row *rows, const struct ph_thread_row **members,
                                       const int64_t *tids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        rows[i] = (struct ph_thread_row){.tid = tids[i], .name = i % 2 ? "odd" : "even", .state = "sleeping"};
        members[i] = &rows[i];
    }
    return (struct ph_thread_group){members, count};
}

static void expect_tids(const int64_t *tids, size_t count, const char *words)
{
    struct ph_thread_row rows[16];
    const struct ph_thread_row *members[16];
    struct ph_thread_group group = group_of(rows, members, tids, count);
    struct ph_buf out = PH_BUF_INIT;
    ph_thread_tids_words(&group, &out);
    assert_string_equal(out.data, words);
    ph_buf_fini(&out);
}

static void numbers_in_a_row_are_a_range(void **state)
{
    expect_tids((const int64_t[]){5}, 1, "5");
    expect_tids((const int64_t[]){5, 6}, 2, "5, 6");
    expect_tids((const int64_t[]){5, 6, 7, 9}, 4, "5-7, 9");
    expect_tids((const int64_t[]){9, 5, 7, 6}, 4, "5-7, 9");
    expect_tids((const int64_t[]){1, 3, 5, 7, 9, 11, 13, 14, 15}, 9, "1, 3, 5, 7, 9, 11 and 3 more");
}

static void a_name_is_told_once(void **state)
{
    struct ph_thread_row rows[16];
    const struct ph_thread_row *members[16];
    struct ph_thread_group group = group_of(rows, members, (const int64_t[]){1, 2, 3, 4}, 4);
    struct ph_buf out = PH_BUF_INIT;
    rows[3].name = "";
    ph_thread_names_words(&group, &out);
    assert_string_equal(out.data, "even, odd, ?");
    ph_buf_fini(&out);
}

static void expect_wait(struct ph_thread_wait wait, const char *since, const char *words)
{
    struct ph_thread_answer none = {0};
    struct ph_buf out = PH_BUF_INIT;
    ph_thread_wait_words(&none, &wait, since, &out);
    assert_string_equal(out.data ? out.data : "", words);
    ph_buf_fini(&out);
}

static void a_wait_tells_what_is_known_of_it(void **state)
{
    struct ph_thread_wait wait = {.call = "", .socket = "", .peer = "", .fd = -1, .since_ns = -1};
    expect_wait(wait, "", "");
    expect_wait(wait, "1.00s", "waits 1.00s");
    wait.call = "poll";
    expect_wait(wait, "", "waits in poll");
    wait.fd = 0;
    expect_wait(wait, "", "waits in poll, fd 0");
    wait.socket = "pipe";
    expect_wait(wait, "2.00s", "waits 2.00s in poll, fd 0: pipe");
    wait.fd = -1;
    wait.peer = "unix";
    expect_wait(wait, "", "waits in poll, pipe, peer unix");
    wait =
        (struct ph_thread_wait){.call = "futex", .socket = "", .peer = "", .fd = -1, .mutex = 0x10, .owner_tid = 7};
    expect_wait(wait, "", "waits in futex for mutex 0x10, held by 7");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipe_gets_lines_that_are_not_cut),
        cmocka_unit_test(a_terminal_gets_what_fits),
        cmocka_unit_test(equal_stacks_are_shown_once),
        cmocka_unit_test(a_group_tells_what_all_of_it_wait_for),
        cmocka_unit_test(a_family_is_shown_process_by_process),
        cmocka_unit_test(colours_are_for_who_wants_them),
        cmocka_unit_test(numbers_in_a_row_are_a_range),
        cmocka_unit_test(a_name_is_told_once),
        cmocka_unit_test(a_wait_tells_what_is_known_of_it),
    };
    setenv("TZ", "UTC0", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
