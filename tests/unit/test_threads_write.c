/* The forms of a thread dump, to the letter. */
#include "dump_fixture.h"
#include "model/demangle.h"
#include "server/threads_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static const struct ph_threads_title title = {90, "server", "0"};
static struct ph_profile *dump;
static struct ph_threads_view view;
static struct ph_buf out;

static void make(const char *pid, const char *comment)
{
    dump = threads_dump(pid);
    if (comment)
        ph_profile_add_comment(dump, comment);
    assert_int_equal(ph_profile_demangle(dump), 0);
    assert_int_equal(ph_threads_view_make(dump, &view), 0);
}

static int tear_down(void **state)
{
    ph_threads_view_fini(&view);
    ph_profile_free(dump);
    ph_buf_fini(&out);
    return 0;
}

static void expect_part(const char *part)
{
    if (!strstr(out.data, part))
        fail_msg("no \"%s\" in:\n%s", part, out.data);
}

static void expect_without(const char *part)
{
    if (strstr(out.data, part))
        fail_msg("\"%s\" in:\n%s", part, out.data);
}

static void json_is_as_its_schema_says(void **state)
{
    make(NULL, NULL);
    ph_threads_json(&view, &title, &out);
    assert_string_equal(
        out.data,
        "{\"pid\":90,\"process\":\"server\",\"taken_at\":\"2023-11-14T22:13:20.012Z\",\"duration_ns\":3400000,"
        "\"interrupted_threads\":1,\"deadlocks\":[[101,102]],\"threads\":["
        "{\"tid\":100,\"name\":\"main\",\"state\":\"sleeping\",\"cpu_ns\":1500000000,\"wait\":{\"call\":\"epoll_"
        "wait\","
        "\"fd\":7,\"socket\":\"tcp "
        "127.0.0.1:80\",\"peer\":\"127.0.0.1:4000\",\"since_ns\":4200000000},\"labels\":{},"
        "\"stack\":[{\"address\":\"0x700020\",\"function\":\"epoll_wait\",\"module\":\"/lib/libc.so.6\","
        "\"offset\":\"0x1020\"},{\"address\":\"0x400030\",\"function\":\"event_loop\",\"module\":\"/bin/server\","
        "\"offset\":\"0x1030\"},{\"address\":\"0x400040\",\"function\":\"main\",\"module\":\"/bin/server\","
        "\"offset\":\"0x1040\"}]},"
        "{\"tid\":101,\"name\":\"worker<1>\",\"state\":\"sleeping\",\"wait\":{\"call\":\"futex\",\"mutex\":"
        "\"0x7f10\","
        "\"owner_tid\":102,\"since_ns\":125000000000},\"labels\":{},\"stack\":[{\"address\":\"0x700100\","
        "\"function\":\"__lll_lock_wait\",\"module\":\"/lib/libc.so.6\",\"offset\":\"0x1100\"},"
        "{\"address\":\"0x400110\",\"function\":\"pool::take(int)\",\"module\":\"/bin/"
        "server\",\"offset\":\"0x1110\"}]},"
        "{\"tid\":102,\"name\":\"w\\u001b[31m\",\"state\":\"sleeping\",\"wait\":{\"call\":\"futex\","
        "\"mutex\":\"0x7f18\",\"owner_tid\":101,\"since_ns\":125000000000},\"labels\":{},\"stack\":["
        "{\"address\":\"0x700100\",\"function\":\"__lll_lock_wait\",\"module\":\"/lib/libc.so.6\","
        "\"offset\":\"0x1100\"},{\"address\":\"0x400110\",\"function\":\"pool::take(int)\",\"module\":\"/bin/"
        "server\","
        "\"offset\":\"0x1110\"}]},"
        "{\"tid\":103,\"name\":\"busy\",\"state\":\"running\",\"cpu_ns\":0,"
        "\"labels\":{\"request\":\"/a\\\"b\",\"tenant\":\"acme\"},\"stack\":[{\"address\":\"0x900000\"}],"
        "\"truncated\":\"no rules for <jit>\"},"
        "{\"tid\":104,\"name\":\"mute\",\"state\":\"unanswered\",\"labels\":{},\"stack\":[]}]}\n");
}

static void json_of_a_family_has_pids_and_says_who_is_missing(void **state)
{
    make("91", "process 92 (server) did not answer in 2.0 s");
    ph_threads_json(&view, &title, &out);
    expect_part("{\"tid\":100,\"pid\":91,\"name\":\"main\"");
    expect_part("\"comments\":[\"process 92 (server) did not answer in 2.0 s\"],\"threads\":[");
}

#define STACKS_OF_WORKERS                                                                                          \
    "__lll_lock_wait\n"                                                                                            \
    "\t/lib/libc.so.6 +0x1100\n"                                                                                   \
    "pool::take(int)\n"                                                                                            \
    "\t/bin/server +0x1110\n"                                                                                      \
    "\n"

static void text_has_deadlocks_first_then_each_thread(void **state)
{
    make(NULL, "something was lost");
    ph_threads_text(&view, &out);
    assert_string_equal(
        out.data, "DEADLOCK: thread 101 \"worker<1>\" waits for thread 102 \"w\\x1b[31m\" waits for thread 101 "
                  "\"worker<1>\"\n"
                  "\n"
                  "# something was lost\n"
                  "\n"
                  "thread 100 \"main\" [epoll_wait, 4.2s]:\n"
                  "# on descriptor 7: tcp 127.0.0.1:80, peer 127.0.0.1:4000\n"
                  "epoll_wait\n"
                  "\t/lib/libc.so.6 +0x1020\n"
                  "event_loop\n"
                  "\t/bin/server +0x1030\n"
                  "main\n"
                  "\t/bin/server +0x1040\n"
                  "\n"
                  "thread 101 \"worker<1>\" [futex, 2m 05s]:\n"
                  "# for the mutex 0x7f10, held by thread 102 \"w\\x1b[31m\"\n" STACKS_OF_WORKERS
                  "thread 102 \"w\\x1b[31m\" [futex, 2m 05s]:\n"
                  "# for the mutex 0x7f18, held by thread 101 \"worker<1>\"\n" STACKS_OF_WORKERS
                  "thread 103 \"busy\" [running]:\n"
                  "# label request: /a\"b\n"
                  "# label tenant: acme\n"
                  "?\n"
                  "\t0x900000\n"
                  "... not complete: no rules for <jit>\n"
                  "\n"
                  "thread 104 \"mute\" [unanswered]:\n"
                  "\n");
}

static void text_of_a_family_names_the_process(void **state)
{
    make("91", NULL);
    ph_threads_text(&view, &out);
    expect_part("thread 100 \"main\" of process 91 [epoll_wait, 4.2s]:\n");
}

static void go_text_is_in_the_syntax_of_goroutines(void **state)
{
    make(NULL, NULL);
    ph_threads_go_text(&view, &out);
    expect_part("goroutine 100 [epoll_wait]:\n"
                "epoll_wait(...)\n"
                "\t/lib/libc.so.6:0 +0x1020\n"
                "event_loop(...)\n"
                "\t/bin/server:0 +0x1030\n");
    expect_part("goroutine 101 [futex, 2 minutes]:\n"
                "__lll_lock_wait(...)\n"
                "\t/lib/libc.so.6:0 +0x1100\n"
                "pool::take(int)\n"
                "\t/bin/server:0 +0x1110\n");
    expect_part("goroutine 103 [running]:\n"
                "?(...)\n"
                "\t?:0 +0x900000\n");
    expect_without("\033");
}

static void the_page_has_deadlocks_first_and_stacks_once(void **state)
{
    make(NULL, "lost <b>");
    ph_threads_html(&view, &title, &out);
    expect_part("<b>Deadlock:</b> <a href=\"#t101\">101 worker&lt;1&gt;</a> waits for <a href=\"#t102\">102 w");
    expect_part("lost &lt;b&gt;");
    expect_part("5 threads, 4 stacks");
    expect_part("2 threads <span class=soft>futex</span>");
    expect_part("<tr id=t101><td class=number>101<td>worker&lt;1&gt;");
    expect_part("for the mutex <code>0x7f10</code>, held by <a href=\"#t102\">");
    expect_part("request: /a&quot;b");
    expect_part("no rules for &lt;jit&gt;");
    expect_part("within 3.4 ms. 1 that ran was interrupted");
    assert_null(strstr(strstr(out.data, "<code>pool::take(int)") + 1, "<code>pool::take(int)"));
    assert_true(strstr(out.data, "Deadlock:") < strstr(out.data, "<tr id="));
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(json_is_as_its_schema_says),
        TEST(json_of_a_family_has_pids_and_says_who_is_missing),
        TEST(text_has_deadlocks_first_then_each_thread),
        TEST(text_of_a_family_names_the_process),
        TEST(go_text_is_in_the_syntax_of_goroutines),
        TEST(the_page_has_deadlocks_first_and_stacks_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
