/* Whose profile a request wants: this process is the front, a forked child is another member. */
#include "family/family.h"
#include "member_fixture.h"
#include "processes_fixture.h"
#include "server/job.h"
#include "server/scope.h"
#include "server_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REFUSAL "seconds and debug params are incompatible\n"

static struct ph_site site;
static struct ph_jobs jobs;
static struct ph_job job; /* of the requests */
static int reports[2], client[2];

static void ignore(void *owner)
{
}

static int set_up(void **state)
{
    site = fixture_site();
    fixture_pipe(reports);
    if (ph_family_enter(&fixture_probe, &site.family, NULL) < 0 || !ph_family_elect(site.family) ||
        socketpair(AF_UNIX, SOCK_STREAM, 0, client) < 0)
        return -1;
    job = (struct ph_job){.jobs = &jobs, .client_fd = client[0]};
    return ph_jobs_init(&jobs, -1, ignore, NULL);
}

static int tear_down(void **state)
{
    ph_family_resign(site.family);
    ph_family_leave(site.family);
    ph_family_free(site.family);
    ph_jobs_fini(&jobs);
    const int fds[] = {reports[0], reports[1], client[0], client[1]};
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
        close(fds[i]);
    return 0;
}

/* Answers with a refusal as our routes make them, or hangs up. */
static int be_member(void *argument)
{
    struct member_script script = {.answer = ""};
    char answer[300];
    uint32_t row;
    if (*(bool *)argument) {
        snprintf(answer, sizeof(answer),
                 "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nX-Go-Pprof: 1\r\n"
                 "Content-Disposition: x\r\nSet-Cookie: no\r\nContent-Length: %zu\r\n\r\n" REFUSAL,
                 strlen(REFUSAL));
        script = (struct member_script){.answer = answer, .answer_bytes = strlen(answer)};
    }
    struct member_fixture *member = member_start(getpid(), &script);
    if (ph_segment_join(ph_family_segment(site.family), &row) < 0)
        return 2;
    fixture_tell(reports[1], 'm', 0);
    while (member_request_count(member) == 0 || !script.answer_bytes)
        usleep(1000);
    usleep(10000);
    fixture_tell(reports[1], strstr(member_request(member), "GET /debug/pprof/heap?pid=") ? 'r' : 'x',
                 strstr(member_request(member), "&seconds=1&debug=1 HTTP/1.1\r\n") != NULL);
    for (;;)
        pause();
}

static pid_t start(bool answers)
{
    struct fixture_report report;
    pid_t pid = fixture_child(be_member, &answers);
    assert_true(fixture_hear(reports[0], 20000, &report));
    return pid;
}

/* @format: the target, with a pid. */
static enum ph_scope scope_of(const char *format, pid_t pid, bool is_family, struct ph_reply *reply)
{
    char target[100];
    snprintf(target, sizeof(target), format, (int)pid);
    struct ph_request *request = fixture_get(&site, target);
    request->job = &job;
    request->is_family = is_family;
    enum ph_scope scope = ph_scope_of(request, reply, 0);
    ph_request_free(request);
    return scope;
}

static void expect_refusal(const char *format, pid_t pid, bool is_family, unsigned status, const char *text)
{
    struct ph_reply reply = {0};
    assert_int_equal(scope_of(format, pid, is_family, &reply), PH_SCOPE_ANSWERED);
    assert_int_equal(reply.status, status);
    if (!strstr(reply.body.data, text))
        fail_msg("%s", reply.body.data);
    ph_reply_fini(&reply);
}

static void a_front_alone_answers_for_itself(void **state)
{
    struct ph_reply reply = {0};
    assert_int_equal(scope_of("/debug/pprof/heap", 0, false, &reply), PH_SCOPE_PROCESS);
    assert_int_equal(scope_of("/debug/pprof/heap?pid=%d", getpid(), false, &reply), PH_SCOPE_PROCESS);
}

static void a_front_with_members_answers_for_all(void **state)
{
    struct ph_reply reply = {0};
    pid_t member = start(true);
    assert_int_equal(scope_of("/debug/pprof/heap", 0, false, &reply), PH_SCOPE_FAMILY);
    assert_int_equal(scope_of("/debug/pprof/heap?pid=%d", getpid(), false, &reply), PH_SCOPE_PROCESS);
    fixture_end(member);
    assert_int_equal(scope_of("/debug/pprof/heap", 0, false, &reply), PH_SCOPE_PROCESS);
}

static void who_is_no_front_answers_for_itself(void **state)
{
    struct ph_reply reply = {0};
    pid_t member = start(true);
    ph_family_resign(site.family);
    assert_int_equal(scope_of("/debug/pprof/heap", 0, false, &reply), PH_SCOPE_PROCESS);
    fixture_end(member);
}

static void another_member_gets_what_it_can_merge_or_relay(void **state)
{
    struct ph_reply reply = {0};
    pid_t member = start(true);
    assert_int_equal(scope_of("/debug/pprof/heap?gc=1", 0, true, &reply), PH_SCOPE_BARE);
    assert_int_equal(scope_of("/debug/pprof/heap?pid=%d", getpid(), true, &reply), PH_SCOPE_PROCESS);
    /* Not to be passed on: it could go round in circles. */
    expect_refusal("/debug/pprof/heap?pid=%d", member, true, 404, "is not one of this family");
    fixture_end(member);
}

static void the_answer_of_a_member_comes_as_it_is(void **state)
{
    struct ph_reply reply = {0};
    struct fixture_report report;
    pid_t member = start(true);
    assert_int_equal(scope_of("/debug/pprof/heap?pid=%d&seconds=1&debug=1", member, false, &reply),
                     PH_SCOPE_ANSWERED);
    assert_int_equal(reply.status, 400);
    assert_string_equal(reply.type, PH_TEXT_PLAIN);
    assert_string_equal(reply.body.data, REFUSAL);
    assert_string_equal(fixture_header(&reply, "X-Go-Pprof"), "1");
    assert_string_equal(fixture_header(&reply, "Content-Disposition"), "x");
    assert_null(fixture_header(&reply, "Set-Cookie"));
    assert_true(fixture_hear(reports[0], 20000, &report));
    assert_true(report.what == 'r' && report.number == 1); /* was asked the same */
    assert_int_equal(jobs.waiting_count, 0);
    ph_reply_fini(&reply);
    fixture_end(member);
}

static void a_member_that_ends_is_told_clearly(void **state)
{
    char text[60];
    pid_t member = start(false);
    snprintf(text, sizeof(text), "process %d (test_scope) has ended", (int)member);
    expect_refusal("/debug/pprof/heap?pid=%d", member, false, 503, text);
    fixture_end(member);
}

static void a_pid_that_is_no_member_is_not_found_and_the_members_are_told(void **state)
{
    char text[60];
    pid_t member = start(true);
    snprintf(text, sizeof(text), "process 1 is not one of this family; there are: %d %d", (int)getpid(),
             (int)member);
    expect_refusal("/debug/pprof/heap?pid=%d", 1, false, 404, text);
    expect_refusal("/debug/pprof/heap?pid=x%d", 1, false, 400, "invalid value for \"pid\"");
    expect_refusal("/debug/pprof/heap?pid=99999999999%d", 1, false, 400, "invalid value for \"pid\"");
    expect_refusal("/debug/pprof/heap?pid=", 1, false, 400, "invalid value for \"pid\"");
    fixture_end(member);
}

static void without_a_family_there_is_this_process(void **state)
{
    struct ph_family *kept = site.family;
    struct ph_reply reply = {0};
    site.family = NULL;
    assert_int_equal(scope_of("/debug/pprof/heap", 0, false, &reply), PH_SCOPE_PROCESS);
    assert_int_equal(scope_of("/debug/pprof/heap?pid=%d", getpid(), false, &reply), PH_SCOPE_PROCESS);
    expect_refusal("/debug/pprof/heap?pid=%d", 1, false, 404, "there are: ");
    site.family = kept;
}

static void routes_that_answer_the_same_for_all_only_check(void **state)
{
    struct ph_reply reply = {0};
    pid_t member = start(true);
    char target[60];
    snprintf(target, sizeof(target), "/debug/pprof/block?pid=%d", (int)member);
    struct ph_request *fine = fixture_get(&site, target), *wrong = fixture_get(&site, "/debug/pprof/block?pid=1");
    assert_true(ph_scope_check(fine, &reply));
    assert_false(ph_scope_check(wrong, &reply));
    assert_int_equal(reply.status, 404);
    ph_reply_fini(&reply);
    ph_request_free(fine);
    ph_request_free(wrong);
    fixture_end(member);
}

static void answers_to_members_are_signed(void **state)
{
    char pid[16];
    struct ph_reply reply = {0};
    struct ph_request *request = fixture_get(&site, "/debug/pprof/heap");
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    ph_reply_begin(&reply, PH_TEXT_PLAIN);
    ph_scope_sign(request, &reply);
    assert_null(fixture_header(&reply, PH_FAMILY_MEMBER_HEADER));
    request->is_family = true;
    ph_scope_sign(request, &reply);
    assert_string_equal(fixture_header(&reply, PH_FAMILY_MEMBER_HEADER), pid);
    ph_request_free(request);
    ph_reply_fini(&reply);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_front_alone_answers_for_itself),
        TEST(a_front_with_members_answers_for_all),
        TEST(who_is_no_front_answers_for_itself),
        TEST(another_member_gets_what_it_can_merge_or_relay),
        TEST(the_answer_of_a_member_comes_as_it_is),
        TEST(a_member_that_ends_is_told_clearly),
        TEST(a_pid_that_is_no_member_is_not_found_and_the_members_are_told),
        TEST(without_a_family_there_is_this_process),
        TEST(routes_that_answer_the_same_for_all_only_check),
        TEST(answers_to_members_are_signed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
