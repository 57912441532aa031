#include "base/clock.h"
#include "family/ask.h"
#include "member_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONG_NS  (30 * PH_NS_PER_S) /* never waited for where all is well */
#define SHORT_NS (50 * PH_NS_PER_MS)

static struct ph_segment *segment;

static int make_segment(void **state)
{
    return ph_segment_new(&segment, NULL);
}

static int free_segment(void **state)
{
    ph_segment_free(segment);
    return 0;
}

static struct ph_question question(void)
{
    return (struct ph_question){
        .probe = &member_probe, .segment = segment, .method = "GET", .target = "/debug/pprof/heap?gc=1"};
}

struct outcome {
    unsigned answered, failed[PH_UNANSWERED_KINDS], statuses;
    size_t body_bytes;
    size_t idle_count, left_count;
};

static void count(void *context, struct ph_asked *asked)
{
    struct outcome *outcome = context;
    if (!asked->is_answered) {
        outcome->failed[asked->reason]++;
        return;
    }
    outcome->answered++;
    outcome->statuses += asked->answer.status;
    outcome->body_bytes += asked->answer.body_bytes;
}

static void count_left(void *context, size_t left_count)
{
    struct outcome *outcome = context;
    outcome->idle_count++;
    outcome->left_count = left_count;
}

static int ask_all(const pid_t *pids, size_t pid_count, int64_t duration_ns, struct outcome *ret_outcome)
{
    struct ph_question asked = question();
    struct ph_member *members = calloc(pid_count, sizeof(*members));
    struct ph_ask *ask;
    *ret_outcome = (struct outcome){0};
    for (size_t i = 0; i < pid_count; i++)
        members[i] = member_row(pids[i]);
    assert_int_equal(ph_ask_begin(&asked, members, pid_count, &ask, NULL), 0);
    free(members);
    int status = ph_ask_run(ask, ph_clock_monotonic_ns() + duration_ns, NULL, count, count_left, ret_outcome);
    ph_ask_free(ask);
    return status;
}

static void a_member_is_asked_with_the_key_and_answers(void **state)
{
    pid_t pid = MEMBER_FIRST_PID + getpid() % 100000 * 1000;
    struct member_script script = {0};
    script.answer = member_answer(pid, "200 OK", "profile", 7, &script.answer_bytes);
    struct member_fixture *member = member_start(pid, &script);
    struct ph_question asked = question();
    struct ph_member row = member_row(pid);
    struct ph_asked answered;
    char expected[200], type[20];
    assert_int_equal(ph_ask_one(&asked, &row, ph_clock_monotonic_ns() + LONG_NS, NULL, &answered, NULL), 0);
    assert_true(answered.is_answered);
    assert_int_equal(answered.answer.status, 200);
    assert_int_equal(answered.answer.body_bytes, 7);
    assert_memory_equal(ph_answer_body(&answered.answer), "profile", 7);
    assert_true(ph_answer_header(&answered.answer, "content-type", type, sizeof(type)));
    assert_string_equal(type, "text/x");
    snprintf(expected, sizeof(expected),
             "GET /debug/pprof/heap?gc=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nPorthole-Family: "
             "%s\r\n\r\n",
             ph_segment_key(segment));
    assert_string_equal(member_request(member), expected);
    ph_answer_fini(&answered.answer);
    member_stop(member);
    free((char *)script.answer);
}

static void the_wait_for_the_last_is_told(void **state)
{
    pid_t pids[2] = {MEMBER_FIRST_PID + getpid() % 100000 * 1000};
    pids[1] = pids[0] + 1;
    struct member_script scripts[2] = {{.delay_ms = 0}, {.delay_ms = 300}};
    struct member_fixture *members[2];
    struct outcome outcome;
    for (int i = 0; i < 2; i++) {
        scripts[i].answer = member_answer(pids[i], "200 OK", "x", 1, &scripts[i].answer_bytes);
        members[i] = member_start(pids[i], &scripts[i]);
    }
    assert_int_equal(ask_all(pids, 2, LONG_NS, &outcome), 0);
    assert_int_equal(outcome.answered, 2);
    assert_in_range(outcome.idle_count, 1, 2);
    assert_int_equal(outcome.left_count, 1);
    for (int i = 0; i < 2; i++) {
        member_stop(members[i]);
        free((char *)scripts[i].answer);
    }
}

/* More than are put to work at a time, more than connections: each a fixture of its own. */
static void all_of_many_are_asked(void **state)
{
    enum { MANY = 150 };
    static pid_t pids[MANY];
    static struct member_fixture *members[MANY];
    static char *answers[MANY];
    struct outcome outcome;
    for (int i = 0; i < MANY; i++) {
        struct member_script script = {.delay_ms = i % 3};
        pids[i] = MEMBER_FIRST_PID + getpid() % 100000 * 1000 + i;
        answers[i] = member_answer(pids[i], "200 OK", "x", 1, &script.answer_bytes);
        script.answer = answers[i];
        members[i] = member_start(pids[i], &script);
    }
    assert_int_equal(ask_all(pids, MANY, LONG_NS, &outcome), 0);
    assert_int_equal(outcome.answered, MANY);
    assert_int_equal(outcome.body_bytes, MANY);
    for (int i = 0; i < MANY; i++) {
        member_stop(members[i]);
        free(answers[i]);
    }
}

static bool is_asked_soon(const struct member_fixture *member)
{
    for (int i = 0; i < 20000 && member_request_count(member) == 0; i++)
        usleep(1000);
    return member_request_count(member) == 1;
}

/* Nobody has answered, and nobody has waited for answers, when the last of them begins. */
static void what_lasts_is_begun_by_all_together(void **state)
{
    enum { MANY = 80 }; /* more connections than there are otherwise */
    static struct member_fixture *fixtures[MANY];
    static struct ph_member rows[MANY];
    struct member_script silent = {0};
    struct ph_question asked = question();
    struct ph_ask *ask;
    for (int i = 0; i < MANY; i++) {
        pid_t pid = MEMBER_FIRST_PID + getpid() % 100000 * 1000 + i;
        fixtures[i] = member_start(pid, &silent);
        rows[i] = member_row(pid);
    }
    asked.is_lasting = true;
    asked.accept = "text/html";
    assert_int_equal(ph_ask_begin(&asked, rows, MANY, &ask, NULL), 0);
    for (int i = 0; i < MANY; i++)
        assert_true(is_asked_soon(fixtures[i]));
    assert_non_null(strstr(member_request(fixtures[0]), "\r\nAccept: text/html\r\n"));
    ph_ask_free(ask);
    for (int i = 0; i < MANY; i++)
        member_stop(fixtures[i]);
}

static void who_does_not_answer_holds_nobody_up(void **state)
{
    enum { SILENT = 20 }; /* more than may be at work */
    pid_t first = MEMBER_FIRST_PID + getpid() % 100000 * 1000, pids[SILENT + 3];
    struct member_fixture *members[SILENT + 1];
    struct member_script silent = {0}, deaf = {.never_accepts = true}, fine = {0};
    struct outcome outcome;
    for (int i = 0; i < SILENT; i++)
        members[i] = member_start(pids[i] = first + i, i % 2 ? &silent : &deaf);
    pids[SILENT] = first + SILENT;
    fine.answer = member_answer(pids[SILENT], "200 OK", "x", 1, &fine.answer_bytes);
    members[SILENT] = member_start(pids[SILENT], &fine);
    pids[SILENT + 1] = first + SILENT + 1; /* nobody there */
    pids[SILENT + 2] = first + SILENT + 2;
    assert_int_equal(ask_all(pids, SILENT + 3, 2 * PH_NS_PER_S, &outcome), 0);
    assert_int_equal(outcome.answered, 1);
    assert_int_equal(outcome.failed[PH_UNANSWERED_LATE], SILENT);
    assert_int_equal(outcome.failed[PH_UNANSWERED_GONE], 2);
    for (int i = 0; i <= SILENT; i++)
        member_stop(members[i]);
    free((char *)fine.answer);
}

static enum ph_unanswered failure_of(const char *text, size_t size_bytes)
{
    pid_t pid = MEMBER_FIRST_PID + getpid() % 100000 * 1000;
    struct member_script script = {.answer = text, .answer_bytes = size_bytes};
    struct member_fixture *member = member_start(pid, &script);
    struct outcome outcome;
    assert_int_equal(ask_all(&pid, 1, LONG_NS, &outcome), 0);
    member_stop(member);
    assert_int_equal(outcome.answered, 0);
    for (int i = 0; i < PH_UNANSWERED_KINDS; i++)
        if (outcome.failed[i])
            return (enum ph_unanswered)i;
    return PH_UNANSWERED_KINDS;
}

static void an_answer_that_breaks_off_is_none(void **state)
{
    size_t size_bytes;
    char *answer = member_answer(MEMBER_FIRST_PID + getpid() % 100000 * 1000, "200 OK", "profile", 7, &size_bytes);
    assert_int_equal(failure_of(answer, size_bytes - 1), PH_UNANSWERED_BROKEN);
    assert_int_equal(failure_of(answer, 20), PH_UNANSWERED_BROKEN);
    assert_int_equal(failure_of(answer, 0), PH_UNANSWERED_GONE); /* it ended */
    free(answer);
}

static void who_is_not_of_the_family_is_gone(void **state)
{
    static const char other[] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
    size_t size_bytes;
    static const char other_key[] = "HTTP/1.1 403 Forbidden\r\nContent-Length: 1\r\n\r\nx";
    char *impostor = member_answer(1, "200 OK", "x", 1, &size_bytes);
    assert_int_equal(failure_of(other_key, sizeof(other_key) - 1), PH_UNANSWERED_GONE);
    assert_int_equal(failure_of(other, sizeof(other) - 1), PH_UNANSWERED_GONE);
    assert_int_equal(failure_of(impostor, size_bytes), PH_UNANSWERED_GONE);
    free(impostor);
}

static void a_refusal_is_an_answer(void **state)
{
    static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 1\r\n\r\nx";
    pid_t pid = MEMBER_FIRST_PID + getpid() % 100000 * 1000;
    struct member_script script = {.answer = busy, .answer_bytes = sizeof(busy) - 1};
    struct member_fixture *member = member_start(pid, &script);
    struct outcome outcome;
    assert_int_equal(ask_all(&pid, 1, LONG_NS, &outcome), 0);
    assert_int_equal(outcome.statuses, 503);
    member_stop(member);
}

static bool always(void *context)
{
    return true;
}

static void it_ends_when_the_client_hangs_up_or_the_endpoint_stops(void **state)
{
    pid_t pid = MEMBER_FIRST_PID + getpid() % 100000 * 1000;
    struct member_script silent = {0};
    struct member_fixture *member = member_start(pid, &silent);
    struct ph_question asked = question();
    struct ph_member row = member_row(pid);
    struct ph_asked answered;
    int pair[2];
    int64_t deadline_ns = ph_clock_monotonic_ns() + LONG_NS;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    struct ph_ask_cancel stopping = {.client_fd = pair[0], .is_cancelled = always},
                         hung_up = {.client_fd = pair[0]};
    assert_int_equal(ph_ask_one(&asked, &row, deadline_ns, &stopping, &answered, NULL), -ECANCELED);
    close(pair[1]);
    assert_int_equal(ph_ask_one(&asked, &row, deadline_ns, &hung_up, &answered, NULL), -ECANCELED);
    assert_true(ph_clock_monotonic_ns() < deadline_ns);
    close(pair[0]);
    member_stop(member);
}

static void a_body_goes_with_a_post(void **state)
{
    pid_t pid = MEMBER_FIRST_PID + getpid() % 100000 * 1000;
    struct member_script script = {0};
    script.answer = member_answer(pid, "200 OK", "", 0, &script.answer_bytes);
    struct member_fixture *member = member_start(pid, &script);
    struct ph_question asked = question();
    struct ph_member row = member_row(pid);
    struct ph_asked answered;
    asked.method = "POST";
    asked.body = "0x1+0x2";
    asked.body_bytes = 7;
    assert_int_equal(ph_ask_one(&asked, &row, ph_clock_monotonic_ns() + LONG_NS, NULL, &answered, NULL), 0);
    assert_true(answered.is_answered);
    assert_non_null(strstr(member_request(member), "Content-Length: 7\r\n\r\n0x1+0x2"));
    ph_answer_fini(&answered.answer);
    member_stop(member);
    free((char *)script.answer);
}

/* Exit status: 0 if whoever came has sent nothing. */
static int be_stranger(pid_t pid, int ready_fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char byte = 0;
    int length = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "porthole/%d", (int)pid);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) < 0 ||
        listen(fd, 1) < 0 || write(ready_fd, &byte, 1) != 1)
        return 2;
    alarm(20);
    int client = accept(fd, NULL, NULL);
    return client < 0 ? 3 : recv(client, &byte, 1, 0) > 0;
}

static void a_stranger_who_took_the_name_of_a_member_does_not_learn_the_key(void **state)
{
    pid_t pid = MEMBER_FIRST_PID + getpid() % 100000 * 1000;
    struct outcome outcome;
    int ends[2], status = 0;
    char byte;
    assert_int_equal(pipe(ends), 0);
    pid_t stranger = fork();
    if (stranger == 0)
        _exit(be_stranger(pid, ends[1]));
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(ask_all(&pid, 1, LONG_NS, &outcome), 0);
    assert_int_equal(outcome.failed[PH_UNANSWERED_GONE], 1);
    assert_int_equal(waitpid(stranger, &status, 0), stranger);
    assert_int_equal(status, 0);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_is_asked_with_the_key_and_answers),
        cmocka_unit_test(the_wait_for_the_last_is_told),
        cmocka_unit_test(all_of_many_are_asked),
        cmocka_unit_test(what_lasts_is_begun_by_all_together),
        cmocka_unit_test(who_does_not_answer_holds_nobody_up),
        cmocka_unit_test(an_answer_that_breaks_off_is_none),
        cmocka_unit_test(who_is_not_of_the_family_is_gone),
        cmocka_unit_test(a_refusal_is_an_answer),
        cmocka_unit_test(it_ends_when_the_client_hangs_up_or_the_endpoint_stops),
        cmocka_unit_test(a_body_goes_with_a_post),
        cmocka_unit_test(a_stranger_who_took_the_name_of_a_member_does_not_learn_the_key),
    };
    return cmocka_run_group_tests(tests, make_segment, free_segment);
}
