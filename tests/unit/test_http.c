#include "tools/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_BYTES 1000
#define PATIENT_MS  30000

/* Answers one connection with the bytes it was given, then closes it; with no bytes it stays silent until told to stop. */
struct peer {
    int listener, stop[2];
    const char *answer;
    char request[4096];
    char url[64];
    pthread_t thread;
};

static void *serve(void *argument)
{
    struct peer *peer = argument;
    char byte;
    int connection = accept(peer->listener, NULL, NULL);
    ssize_t got = read(connection, peer->request, sizeof(peer->request) - 1);
    peer->request[got > 0 ? got : 0] = '\0';
    if (!peer->answer)
        assert_int_equal(read(peer->stop[0], &byte, 1), 0);
    else if (*peer->answer)
        assert_int_equal(send(connection, peer->answer, strlen(peer->answer), MSG_NOSIGNAL), strlen(peer->answer));
    close(connection);
    return NULL;
}

static void peer_init(struct peer *peer, const char *answer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    *peer = (struct peer){.listener = socket(AF_INET, SOCK_STREAM, 0), .answer = answer};
    assert_int_equal(bind(peer->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(peer->listener, 1), 0);
    assert_int_equal(getsockname(peer->listener, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(pipe(peer->stop), 0);
    snprintf(peer->url, sizeof(peer->url), "http://127.0.0.1:%d/x", ntohs(address.sin_port));
    assert_int_equal(pthread_create(&peer->thread, NULL, serve, peer), 0);
}

static void peer_fini(struct peer *peer)
{
    close(peer->stop[1]);
    pthread_join(peer->thread, NULL);
    close(peer->stop[0]);
    close(peer->listener);
}

static void get(const char *url, const char *token, long timeout_ms, struct ph_http_answer *ret_answer)
{
    struct ph_http_request request = {
        .url = url, .token = token, .timeout_ms = timeout_ms, .limit_bytes = LIMIT_BYTES};
    ph_http_get(&request, 1, ret_answer);
}

static struct ph_error error_of(const char *bytes, long timeout_ms)
{
    struct peer peer;
    struct ph_http_answer answer;
    peer_init(&peer, bytes);
    get(peer.url, NULL, timeout_ms, &answer);
    peer_fini(&peer);
    ph_http_fini(&answer);
    return answer.error;
}

static void the_body_is_handed_on_as_it_is(void **state)
{
    struct peer peer;
    struct ph_http_answer answer;
    peer_init(&peer, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    get(peer.url, NULL, PATIENT_MS, &answer);
    peer_fini(&peer);
    assert_int_equal(answer.error.code, 0);
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.body.size_bytes, 5);
    assert_string_equal(answer.body.data, "hello");
    assert_null(strstr(peer.request, "Authorization"));
    ph_http_fini(&answer);
}

static void the_token_is_sent_as_bearer(void **state)
{
    struct peer peer;
    struct ph_http_answer answer;
    peer_init(&peer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    get(peer.url, "s3cret", PATIENT_MS, &answer);
    peer_fini(&peer);
    assert_non_null(strstr(peer.request, "\r\nAuthorization: Bearer s3cret\r\n"));
    ph_http_fini(&answer);
}

static void a_body_beyond_the_limit_is_refused(void **state)
{
    char announced[2048] = "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
         endless[2048] = "HTTP/1.1 200 OK\r\n\r\n";
    memset(strchr(announced, '\0'), 'x', LIMIT_BYTES + 1);
    memset(strchr(endless, '\0'), 'x', LIMIT_BYTES + 1);
    assert_int_equal(error_of(announced, PATIENT_MS).code, -EFBIG);
    assert_int_equal(error_of(endless, PATIENT_MS).code, -EFBIG);
    endless[strlen(endless) - 1] = '\0';
    assert_int_equal(error_of(endless, PATIENT_MS).code, 0);
}

static void a_peer_that_is_silent_costs_the_timeout(void **state)
{
    struct ph_error error = error_of(NULL, 200);
    assert_int_equal(error.code, -ETIMEDOUT);
    assert_string_equal(error.text, "no answer within 0.2 s");
}

static void a_peer_that_hangs_up_is_told_from_one_that_is_cut_short(void **state)
{
    assert_int_equal(error_of("", PATIENT_MS).code, -ECONNRESET);
    struct ph_error error = error_of("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", PATIENT_MS);
    assert_int_equal(error.code, -ECONNRESET);
    assert_non_null(strstr(error.text, "45 bytes remaining"));
}

static void an_error_status_carries_the_first_line_of_the_body(void **state)
{
    struct ph_error error =
        error_of("HTTP/1.1 503 Unavailable\r\nContent-Length: 20\r\n\r\nbusy since\x1b[2J\nlater", PATIENT_MS);
    assert_int_equal(error.code, -EPROTO);
    assert_string_equal(error.text, "status 503: busy since\\x1b[2J");
    error = error_of("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", PATIENT_MS);
    assert_int_equal(error.code, -EACCES);
    assert_string_equal(error.text, "status 401");
    error = error_of("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 13\r\n\r\n<html>no</html>", PATIENT_MS);
    assert_string_equal(error.text, "status 502");
}

static void a_problem_is_told_by_its_detail(void **state)
{
    struct ph_error error =
        error_of("HTTP/1.1 404 Not Found\r\nContent-Length: 24\r\n\r\n{\"detail\":\"no process\"}\n", PATIENT_MS);
    assert_int_equal(error.code, -EPROTO);
    assert_string_equal(error.text, "status 404: no process");
    error = error_of("HTTP/1.1 404 Not Found\r\nContent-Length: 12\r\n\r\n{\"detail\": 7", PATIENT_MS);
    assert_string_equal(error.text, "status 404");
}

static void a_conflict_is_told_by_the_server_s_words_alone(void **state)
{
    struct ph_error error = error_of("HTTP/1.1 409 Conflict\r\nContent-Length: 5\r\n\r\nbusy\n", PATIENT_MS);
    assert_int_equal(error.code, -EBUSY);
    assert_string_equal(error.text, "busy");
    error = error_of("HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n", PATIENT_MS);
    assert_int_equal(error.code, -EBUSY);
    assert_string_equal(error.text, "status 409");
}

static void what_is_no_http_is_an_error(void **state)
{
    assert_true(error_of("SSH-2.0-OpenSSH_9.2\r\n", PATIENT_MS).code < 0);
}

static void only_http_is_spoken(void **state)
{
    struct ph_http_answer answer;
    get("file:///etc/passwd", NULL, PATIENT_MS, &answer);
    assert_int_equal(answer.error.code, -EIO);
    assert_int_equal(answer.body.size_bytes, 0);
    ph_http_fini(&answer);
}

static void answers_come_in_the_order_of_the_requests(void **state)
{
    struct peer first, second;
    struct ph_http_answer answers[3];
    peer_init(&first, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst");
    peer_init(&second, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond");
    struct ph_http_request requests[] = {
        {.url = first.url, .timeout_ms = PATIENT_MS, .limit_bytes = LIMIT_BYTES},
        {.url = "http://127.0.0.1:1/", .timeout_ms = PATIENT_MS, .limit_bytes = LIMIT_BYTES},
        {.url = second.url, .timeout_ms = PATIENT_MS, .limit_bytes = LIMIT_BYTES},
    };
    ph_http_get(requests, 3, answers);
    peer_fini(&first);
    peer_fini(&second);
    assert_string_equal(answers[0].body.data, "first");
    assert_int_equal(answers[1].error.code, -ECONNREFUSED);
    assert_string_equal(answers[1].error.text, "Connection refused");
    assert_string_equal(answers[2].body.data, "second");
    for (int i = 0; i < 3; i++)
        ph_http_fini(&answers[i]);
}

static void a_silent_peer_does_not_delay_the_others(void **state)
{
    struct peer silent, quick;
    struct ph_http_answer answers[2];
    peer_init(&silent, NULL);
    peer_init(&quick, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nquick");
    struct ph_http_request requests[] = {
        {.url = silent.url, .timeout_ms = 300, .limit_bytes = LIMIT_BYTES},
        {.url = quick.url, .timeout_ms = 300, .limit_bytes = LIMIT_BYTES},
    };
    ph_http_get(requests, 2, answers);
    peer_fini(&silent);
    peer_fini(&quick);
    assert_int_equal(answers[0].error.code, -ETIMEDOUT);
    assert_int_equal(answers[1].error.code, 0);
    assert_string_equal(answers[1].body.data, "quick");
    ph_http_fini(&answers[0]);
    ph_http_fini(&answers[1]);
}

static int asked_count;

static bool give_up_when_asked_twice(void)
{
    return ++asked_count >= 2;
}

static void a_silent_peer_can_be_given_up(void **state)
{
    struct peer silent;
    struct ph_http_answer answer;
    peer_init(&silent, NULL);
    struct ph_http_request request = {.url = silent.url,
                                      .timeout_ms = PATIENT_MS,
                                      .limit_bytes = LIMIT_BYTES,
                                      .is_given_up = give_up_when_asked_twice};
    ph_http_get(&request, 1, &answer);
    peer_fini(&silent);
    assert_int_equal(answer.error.code, -ECANCELED);
    assert_int_equal(asked_count, 2);
    ph_http_fini(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_body_is_handed_on_as_it_is),
        cmocka_unit_test(the_token_is_sent_as_bearer),
        cmocka_unit_test(a_body_beyond_the_limit_is_refused),
        cmocka_unit_test(a_peer_that_is_silent_costs_the_timeout),
        cmocka_unit_test(a_peer_that_hangs_up_is_told_from_one_that_is_cut_short),
        cmocka_unit_test(an_error_status_carries_the_first_line_of_the_body),
        cmocka_unit_test(a_problem_is_told_by_its_detail),
        cmocka_unit_test(a_conflict_is_told_by_the_server_s_words_alone),
        cmocka_unit_test(what_is_no_http_is_an_error),
        cmocka_unit_test(only_http_is_spoken),
        cmocka_unit_test(answers_come_in_the_order_of_the_requests),
        cmocka_unit_test(a_silent_peer_does_not_delay_the_others),
        cmocka_unit_test(a_silent_peer_can_be_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
