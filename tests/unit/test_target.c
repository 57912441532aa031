#include "tools/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct ph_target parse(const char *text)
{
    struct ph_target target;
    struct ph_error error;
    assert_int_equal(ph_target_parse(text, &target, &error), 0);
    return target;
}

static void expect_refused(const char *text, const char *reason)
{
    struct ph_target target;
    struct ph_error error;
    assert_int_equal(ph_target_parse(text, &target, &error), -EINVAL);
    assert_non_null(strstr(error.text, reason));
}

static void expect_url(const char *text, const char *query, const char *url)
{
    struct ph_target target = parse(text);
    struct ph_buf out = PH_BUF_INIT;
    assert_int_equal(ph_target_url(&target, "/debug/pprof/heap", query, &out), 0);
    assert_string_equal(out.data, url);
    ph_buf_fini(&out);
}

static void a_number_is_a_process(void **state)
{
    struct ph_target target = parse("4242");
    assert_int_equal(target.kind, PH_TARGET_PID);
    assert_int_equal(target.pid, 4242);
}

static void a_number_that_is_no_pid_is_refused(void **state)
{
    expect_refused("0", "no process id");
    expect_refused("99999999999999999999", "no process id");
}

static void urls_and_addresses_are_endpoints(void **state)
{
    assert_int_equal(parse("http://127.0.0.1:6060").kind, PH_TARGET_URL);
    assert_int_equal(parse("HTTPS://example.org/x").kind, PH_TARGET_URL);
    assert_int_equal(parse("localhost:6060").kind, PH_TARGET_URL);
    assert_int_equal(parse("localhost:6060/debug/pprof/heap").kind, PH_TARGET_URL);
    assert_int_equal(parse("[::1]:6060").kind, PH_TARGET_URL);
}

static void a_socket_is_named_by_its_path(void **state)
{
    struct ph_target target = parse("unix:/run/porthole.sock");
    assert_int_equal(target.kind, PH_TARGET_SOCKET);
    assert_string_equal(target.text, "/run/porthole.sock");
}

static void a_socket_path_that_the_kernel_would_refuse_is_refused(void **state)
{
    char text[256];
    memset(text, 'x', sizeof(text));
    memcpy(text, "unix:/", 6);
    text[5 + 108] = '\0';
    expect_refused(text, "too long");
    text[5 + 107] = '\0';
    assert_int_equal(parse(text).kind, PH_TARGET_SOCKET);
}

static void everything_else_is_a_file(void **state)
{
    static const char *const files[] = {
        "heap.pb.gz", "./4242",      "./localhost:6060", "/tmp/a:1/b", "12x",
        "host:",      "host:123456", "::1:80",           "a b:80",     ":6060",
    };
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct ph_target target = parse(files[i]);
        assert_int_equal(target.kind, PH_TARGET_FILE);
        assert_string_equal(target.text, files[i]);
    }
}

static void a_file_that_looks_like_an_address_is_a_file(void **state)
{
    char name[32];
    snprintf(name, sizeof(name), "porthole-%d:6060", (int)getpid());
    assert_int_equal(parse(name).kind, PH_TARGET_URL);
    int fd = open(name, O_CREAT | O_WRONLY | O_EXCL, 0600);
    assert_true(fd >= 0);
    enum ph_target_kind kind = parse(name).kind;
    close(fd);
    unlink(name);
    assert_int_equal(kind, PH_TARGET_FILE);
}

static void other_schemes_and_nothing_are_refused(void **state)
{
    expect_refused("ftp://example.org/heap", "expected http://");
    expect_refused("file:///etc/passwd", "expected http://");
    expect_refused("", "expected a process id");
}

static void an_endpoint_gets_the_route(void **state)
{
    static const char *const endpoints[] = {"http://h:1",
                                            "http://h:1/",
                                            "http://h:1/debug",
                                            "http://h:1/debug/",
                                            "http://h:1/debug/pprof",
                                            "http://h:1/debug/pprof/",
                                            "h:1",
                                            "h:1/"};
    for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++)
        expect_url(endpoints[i], "", "http://h:1/debug/pprof/heap");
}

static void a_prefix_is_kept(void **state)
{
    expect_url("https://h/app/debug/pprof/", "", "https://h/app/debug/pprof/heap");
}

static void a_url_that_names_a_route_keeps_it(void **state)
{
    expect_url("http://h:1/debug/pprof/allocs", "", "http://h:1/debug/pprof/allocs");
    expect_url("http://h:1/pprof/heap", "seconds=5", "http://h:1/pprof/heap?seconds=5");
}

static void queries_are_joined_and_fragments_dropped(void **state)
{
    expect_url("http://h:1", "seconds=5", "http://h:1/debug/pprof/heap?seconds=5");
    expect_url("http://h:1?pid=7", "", "http://h:1/debug/pprof/heap?pid=7");
    expect_url("http://h:1/?pid=7", "seconds=5", "http://h:1/debug/pprof/heap?pid=7&seconds=5");
    expect_url("http://h:1/debug/pprof/heap?pid=7#top", "gc=1", "http://h:1/debug/pprof/heap?pid=7&gc=1");
    expect_url("http://h:1#top", "", "http://h:1/debug/pprof/heap");
}

static void local_sockets_are_asked_as_localhost(void **state)
{
    expect_url("unix:/run/p", "gc=1", "http://localhost/debug/pprof/heap?gc=1");
    expect_url("77", "", "http://localhost/debug/pprof/heap");
}

static void a_subject_tells_what_was_asked(void **state)
{
    static const char *const pairs[][2] = {
        {"77", "process 77"}, {"unix:/run/p", "unix:/run/p"}, {"h:1", "h:1"}, {"a\x1b.gz", "a\\x1b.gz"}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct ph_target target = parse(pairs[i][0]);
        struct ph_buf out = PH_BUF_INIT;
        assert_int_equal(ph_target_subject(&target, &out), 0);
        assert_string_equal(out.data, pairs[i][1]);
        ph_buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_a_process),
        cmocka_unit_test(a_number_that_is_no_pid_is_refused),
        cmocka_unit_test(urls_and_addresses_are_endpoints),
        cmocka_unit_test(a_socket_is_named_by_its_path),
        cmocka_unit_test(a_socket_path_that_the_kernel_would_refuse_is_refused),
        cmocka_unit_test(everything_else_is_a_file),
        cmocka_unit_test(a_file_that_looks_like_an_address_is_a_file),
        cmocka_unit_test(other_schemes_and_nothing_are_refused),
        cmocka_unit_test(an_endpoint_gets_the_route),
        cmocka_unit_test(a_prefix_is_kept),
        cmocka_unit_test(a_url_that_names_a_route_keeps_it),
        cmocka_unit_test(queries_are_joined_and_fragments_dropped),
        cmocka_unit_test(local_sockets_are_asked_as_localhost),
        cmocka_unit_test(a_subject_tells_what_was_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
