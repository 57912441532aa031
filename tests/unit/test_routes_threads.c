/* Thread dumps as a client sees them; the dump is a stand-in of the test's. */
#include "collect/thread_dump.h"
#include "dump_fixture.h"
#include "model/pprof_read.h"
#include "server/profile_counts.h"
#include "server/router.h"
#include "server_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

static struct ph_site site;
static struct ph_reply reply;
static int status_of_dump;
static unsigned bare_count;

int ph_thread_dump_collect(const struct ph_probe *probe, struct ph_profile **ret_profile, struct ph_error *error)
{
    if (status_of_dump < 0)
        return ph_error_set(error, status_of_dump, "cannot list /proc/self/task");
    *ret_profile = threads_dump(NULL);
    return 0;
}

int ph_thread_dump_collect_bare(const struct ph_probe *probe, struct ph_profile **ret_profile,
                                struct ph_error *error)
{
    bare_count++;
    return ph_thread_dump_collect(probe, ret_profile, error);
}

static int set_up(void **state)
{
    site = fixture_site();
    status_of_dump = 0;
    bare_count = 0;
    ph_profile_counts_forked();
    return 0;
}

static int tear_down(void **state)
{
    ph_reply_fini(&reply);
    return 0;
}

static void ask_as(const char *target, const char *accept, bool is_family)
{
    struct ph_request *request = fixture_get(&site, target);
    strcpy(request->accept, accept);
    request->is_family = is_family;
    request->route = ph_route_find(request->path);
    assert_non_null(request->route);
    reply = (struct ph_reply){0};
    request->route->handle(request, &reply);
    ph_request_free(request);
}

static void ask(const char *target)
{
    ask_as(target, "", false);
}

static void expect_type(const char *name)
{
    struct ph_profile *profile = NULL;
    assert_int_equal(reply.status, 200);
    assert_int_equal(ph_pprof_read(reply.body.data, reply.body.size_bytes, &profile, NULL), 0);
    assert_int_equal(profile->sample_count, 5);
    assert_string_equal(ph_profile_text(profile, profile->types[0].type), name);
    assert_string_equal(ph_profile_text(profile, profile->period_type.type), name);
    ph_profile_free(profile);
}

static void expect_begin(const char *type, const char *begin)
{
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.type, type);
    if (strncmp(reply.body.data, begin, strlen(begin)) != 0)
        fail_msg("not \"%s\" but:\n%.300s", begin, reply.body.data);
}

static void the_type_is_that_which_clients_of_the_name_know(void **state)
{
    ask("/debug/pprof/threads?seconds=5");
    expect_type("threads");
    assert_string_equal(fixture_header(&reply, "Content-Disposition"), "attachment; filename=\"threads\"");
    ph_reply_fini(&reply);
    ask("/debug/pprof/goroutine");
    expect_type("goroutine");
    assert_int_equal(ph_profile_counts_read(PH_PROFILE_THREADS), 2);
}

static void debug_1_has_equal_stacks_once(void **state)
{
    ask("/debug/pprof/goroutine?debug=1");
    expect_begin(PH_TEXT_PLAIN, "goroutine profile: total 5\n"
                                "2 @ 0x700101 0x400110\n"
                                "#\t0x700101\t__lll_lock_wait\t/lib/libc.so.6\n"
                                "#\t0x400110\tpool::take(int)\t/bin/server\n");
}

static void debug_2_has_each_thread(void **state)
{
    ask("/debug/pprof/threads?debug=2");
    expect_begin(PH_TEXT_PLAIN, "DEADLOCK: thread 101 \"worker<1>\" waits for ");
    assert_non_null(strstr(reply.body.data, "thread 100 \"main\" [epoll_wait, 4.2s]:\n"));
    ph_reply_fini(&reply);
    ask("/debug/pprof/goroutine?debug=2");
    assert_non_null(strstr(reply.body.data, "goroutine 100 [epoll_wait]:\nepoll_wait(...)\n"));
}

static void the_form_is_chosen_by_format_or_accept(void **state)
{
    ask("/debug/threads");
    expect_begin(PH_JSON, "{\"pid\":");
    assert_non_null(strstr(reply.body.data, "\"pool::take(int)\""));
    ph_reply_fini(&reply);
    ask_as("/debug/threads", "text/html", false);
    expect_begin(PH_TEXT_HTML, "<!doctype html>");
    ph_reply_fini(&reply);
    ask("/debug/threads?format=text");
    expect_begin(PH_TEXT_PLAIN, "DEADLOCK: ");
    ph_reply_fini(&reply);
    ask("/debug/threads?format=xml");
    assert_int_equal(reply.status, 400);
}

static void another_member_gets_it_bare(void **state)
{
    ask_as("/debug/pprof/threads", "", true);
    expect_type("threads");
    assert_int_equal(bare_count, 1);
    assert_true(memcmp(reply.body.data, "\x1f\x8b", 2) != 0);
    assert_non_null(fixture_header(&reply, PH_FAMILY_MEMBER_HEADER));
}

static void what_cannot_be_read_is_said(void **state)
{
    status_of_dump = -EACCES;
    ask("/debug/threads");
    assert_int_equal(reply.status, 503);
    assert_non_null(strstr(reply.body.data, "cannot list /proc/self/task"));
    assert_int_equal(ph_profile_counts_read(PH_PROFILE_THREADS), 0);
}

static void a_process_that_is_not_there_is_refused(void **state)
{
    ask("/debug/threads?pid=4194303");
    assert_int_equal(reply.status, 404);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_type_is_that_which_clients_of_the_name_know),
        TEST(debug_1_has_equal_stacks_once),
        TEST(debug_2_has_each_thread),
        TEST(the_form_is_chosen_by_format_or_accept),
        TEST(another_member_gets_it_bare),
        TEST(what_cannot_be_read_is_said),
        TEST(a_process_that_is_not_there_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
