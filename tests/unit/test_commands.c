#include "server/commands.h"
#include "server_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TARGET "/debug/pprof/heap?seconds=30"

static void expect_quoted(const char *text, const char *quoted)
{
    struct ph_buf out = PH_BUF_INIT;
    ph_shell_quote(text, &out);
    assert_string_equal(out.data, quoted);
    ph_buf_fini(&out);
}

static void words_that_mean_nothing_to_a_shell_stay_bare(void **state)
{
    expect_quoted("http://127.0.0.1:6060/debug/", "http://127.0.0.1:6060/debug/");
    expect_quoted("http://[::1]:6060/", "'http://[::1]:6060/'");
    expect_quoted("a?b", "'a?b'");
    expect_quoted("a b", "'a b'");
    expect_quoted("~", "'~'");
    expect_quoted("", "''");
}

static void a_quoted_word_reaches_the_program_as_it_was(void **state)
{
    static const char nasty[] = "it's $(touch /x) `y` \"z\" \\ \n;&|<>*?[]#!{}";
    char line[256], read_back[256] = "";
    struct ph_buf out = PH_BUF_INIT;
    ph_shell_quote(nasty, &out);
    snprintf(line, sizeof(line), "printf %%s %s", out.data);
    FILE *shell = popen(line, "r");
    assert_non_null(shell);
    size_t size_bytes = fread(read_back, 1, sizeof(read_back) - 1, shell);
    assert_int_equal(pclose(shell), 0);
    assert_int_equal(size_bytes, sizeof(nasty) - 1);
    assert_memory_equal(read_back, nasty, size_bytes);
    ph_buf_fini(&out);
}

static void expect_commands(struct ph_site *site, const char *host, bool is_local, const char *pprof,
                            const char *curl)
{
    struct ph_request *request = fixture_get(site, "/debug/");
    struct ph_buf out = PH_BUF_INIT;
    strcpy(request->host, host);
    request->is_local = is_local;
    ph_command_pprof(request, TARGET, "heap.pb.gz", &out);
    assert_string_equal(out.data, pprof);
    ph_buf_fini(&out);
    ph_command_curl(request, TARGET, &out);
    assert_string_equal(out.data, curl);
    ph_buf_fini(&out);
    ph_request_free(request);
}

static void over_tcp_they_use_the_host_that_the_client_knows(void **state)
{
    struct ph_site site = fixture_site();
    expect_commands(&site, "127.0.0.1:7070", false, "go tool pprof 'http://127.0.0.1:7070" TARGET "'",
                    "curl -sS 'http://127.0.0.1:7070" TARGET "'");
    expect_commands(&site, "", false, "go tool pprof 'http://127.0.0.1:6060" TARGET "'",
                    "curl -sS 'http://127.0.0.1:6060" TARGET "'");
}

static void over_a_unix_socket_they_do_not_believe_the_host(void **state)
{
    struct ph_site site = fixture_site();
    expect_commands(&site, "any.example", true, "go tool pprof 'http://127.0.0.1:6060" TARGET "'",
                    "curl -sS 'http://127.0.0.1:6060" TARGET "'");
}

static void with_a_token_they_read_it_from_its_file(void **state)
{
    struct ph_site site = fixture_site();
    site.token = (struct ph_token){"0123456789abcdef", 16};
    strcpy(fixture_options.token_file, "/etc/the token");
    static const char curl[] = "curl -sS -H \"Authorization: Bearer $(head -n1 '/etc/the token')\"";
    char with_file[512], plain[512];
    snprintf(with_file, sizeof(with_file), "%s -o heap.pb.gz 'http://localhost%s' && go tool pprof heap.pb.gz",
             curl, TARGET);
    snprintf(plain, sizeof(plain), "%s 'http://localhost%s'", curl, TARGET);
    expect_commands(&site, "localhost", false, with_file, plain);
}

static void a_path_is_named_as_it_is(void **state)
{
    struct ph_site site = fixture_site();
    strcpy(site.url, "unix:/run/a b");
    expect_commands(&site, "any.example", true,
                    "curl -sS --unix-socket '/run/a b' -o heap.pb.gz 'http://localhost" TARGET
                    "' && go tool pprof heap.pb.gz",
                    "curl -sS --unix-socket '/run/a b' 'http://localhost" TARGET "'");
}

static void without_any_address_the_abstract_socket_is_named(void **state)
{
    char curl[256];
    struct ph_site site = fixture_site();
    site.url[0] = '\0';
    struct ph_request *request = fixture_get(&site, "/debug/");
    struct ph_buf out = PH_BUF_INIT;
    request->is_local = true;
    ph_command_curl(request, TARGET, &out);
    snprintf(curl, sizeof(curl), "curl -sS --abstract-unix-socket porthole/%d 'http://localhost%s'", (int)getpid(),
             TARGET);
    assert_string_equal(out.data, curl);
    ph_buf_fini(&out);
    ph_request_free(request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_that_mean_nothing_to_a_shell_stay_bare),
        cmocka_unit_test(a_quoted_word_reaches_the_program_as_it_was),
        cmocka_unit_test(over_tcp_they_use_the_host_that_the_client_knows),
        cmocka_unit_test(over_a_unix_socket_they_do_not_believe_the_host),
        cmocka_unit_test(with_a_token_they_read_it_from_its_file),
        cmocka_unit_test(a_path_is_named_as_it_is),
        cmocka_unit_test(without_any_address_the_abstract_socket_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
