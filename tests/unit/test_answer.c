#include "family/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "HTTP/1.1 200 OK\r\nServer: x\r\ncontent-length:  5\r\nContent-Type: text/plain\r\n\r\n"

static int take_all(const char *text, size_t body_max_bytes)
{
    struct ph_answer answer = {.body_max_bytes = body_max_bytes};
    int status = ph_answer_take(&answer, text, strlen(text));
    ph_answer_fini(&answer);
    return status;
}

static void an_answer_is_put_together_from_pieces_cut_anywhere(void **state)
{
    static const char text[] = HEAD "hello";
    size_t size_bytes = sizeof(text) - 1;
    for (size_t cut = 0; cut < size_bytes; cut++) {
        struct ph_answer answer = {.body_max_bytes = 5};
        char *first = malloc(cut + 1), *second = malloc(size_bytes - cut);
        memcpy(first, text, cut);
        memcpy(second, text + cut, size_bytes - cut);
        assert_int_equal(ph_answer_take(&answer, first, cut), 0);
        assert_int_equal(ph_answer_take(&answer, second, size_bytes - cut), 1);
        assert_int_equal(answer.status, 200);
        assert_int_equal(answer.body_bytes, 5);
        assert_memory_equal(ph_answer_body(&answer), "hello", 5);
        ph_answer_fini(&answer);
        free(first);
        free(second);
    }
}

static void headers_are_found_by_name_and_cut_to_the_room(void **state)
{
    struct ph_answer answer = {.body_max_bytes = 5};
    char value[40], small[5];
    assert_int_equal(ph_answer_take(&answer, HEAD, strlen(HEAD)), 0);
    assert_true(ph_answer_header(&answer, "CONTENT-TYPE", value, sizeof(value)));
    assert_string_equal(value, "text/plain");
    assert_true(ph_answer_header(&answer, "Content-Type", small, sizeof(small)));
    assert_string_equal(small, "text");
    assert_false(ph_answer_header(&answer, "Content", value, sizeof(value)));
    assert_string_equal(value, "");
    assert_false(ph_answer_header(&answer, "HTTP/1.1 200 OK", value, sizeof(value)));
    ph_answer_fini(&answer);
}

static void an_empty_body_is_a_body(void **state)
{
    assert_int_equal(take_all("HTTP/1.0 503 Busy\r\nContent-Length: 0\r\n\r\n", 5), 1);
}

static void what_is_no_whole_answer_of_ours_is_refused(void **state)
{
    assert_int_equal(take_all("HTTP/2 200\r\nContent-Length: 0\r\n\r\n", 5), -EPROTO);
    assert_int_equal(take_all("HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n", 5), -EPROTO);
    assert_int_equal(take_all("HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n", 5), -EPROTO);
    assert_int_equal(take_all("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbody", 5), -EPROTO);
    assert_int_equal(take_all("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nbody", 5), -EPROTO);
    assert_int_equal(take_all("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", 5), -EPROTO);
    assert_int_equal(take_all("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody and more", 5), -EPROTO);
    assert_int_equal(take_all("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n", 5), -EMSGSIZE);
    assert_int_equal(take_all("\r\n\r\n", 5), -EPROTO);
    assert_int_equal(take_all("", 5), 0);
}

static void a_head_without_end_is_refused(void **state)
{
    struct ph_answer answer = {.body_max_bytes = 5};
    int status = 0;
    for (size_t i = 0; i <= PH_ANSWER_HEAD_MAX && status == 0; i += 10)
        status = ph_answer_take(&answer, "0123456789", 10);
    assert_int_equal(status, -EPROTO);
    ph_answer_fini(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_put_together_from_pieces_cut_anywhere),
        cmocka_unit_test(headers_are_found_by_name_and_cut_to_the_room),
        cmocka_unit_test(an_empty_body_is_a_body),
        cmocka_unit_test(what_is_no_whole_answer_of_ours_is_refused),
        cmocka_unit_test(a_head_without_end_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
