#include "server/auth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[] = "/tmp/porthole-token.XXXXXX";

static int make_file(void **state)
{
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    return unlink(path);
}

static void write_file(const char *bytes, size_t size_bytes, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size_bytes, file), size_bytes);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void expect_token(const char *content, const char *wanted)
{
    struct ph_token token;
    struct ph_error error = {0, ""};
    write_file(content, strlen(content), 0600);
    assert_int_equal(ph_token_read(path, &token, &error), 0);
    assert_int_equal(token.size_bytes, strlen(wanted));
    assert_string_equal(token.text, wanted);
}

static void expect_refused(const char *content, size_t size_bytes, mode_t mode, int code, const char *reason)
{
    struct ph_token token = {"untouched", 9};
    struct ph_error error = {0, ""};
    write_file(content, size_bytes, mode);
    assert_int_equal(ph_token_read(path, &token, &error), code);
    assert_int_equal(error.code, code);
    assert_non_null(strstr(error.text, reason));
    assert_non_null(strstr(error.text, path));
    assert_string_equal(token.text, "untouched");
}

static void the_token_is_the_first_line_without_blanks_around_it(void **state)
{
    expect_token("0123456789abcdef", "0123456789abcdef");
    expect_token("0123456789abcdef\n", "0123456789abcdef");
    expect_token(" \t0123456789abcdef \t\r\nmore\n", "0123456789abcdef");
}

static void tokens_have_16_to_512_visible_characters(void **state)
{
    char longest[PH_TOKEN_MAX_BYTES + 2];
    memset(longest, 'a', sizeof(longest));
    longest[PH_TOKEN_MAX_BYTES] = '\0';
    expect_token(longest, longest);
    longest[PH_TOKEN_MAX_BYTES] = 'a';
    longest[PH_TOKEN_MAX_BYTES + 1] = '\0';
    expect_refused(longest, PH_TOKEN_MAX_BYTES + 1, 0600, -EINVAL, "16 to 512");
    expect_refused("0123456789abcde\n", 16, 0600, -EINVAL, "16 to 512");
    expect_refused("", 0, 0600, -EINVAL, "16 to 512");
    expect_refused("\n0123456789abcdef\n", 18, 0600, -EINVAL, "16 to 512");
    expect_refused("0123456789 abcdef\n", 18, 0600, -EINVAL, "visible");
    expect_refused("0123456789\0abcdef\n", 18, 0600, -EINVAL, "visible");
    expect_refused("0123456789\xc3\xa4"
                   "abcdef\n",
                   19, 0600, -EINVAL, "visible");
}

static void a_file_that_every_user_can_read_or_write_is_refused(void **state)
{
    struct ph_token token;
    expect_refused("0123456789abcdef", 16, 0604, -EPERM, "chmod o=");
    expect_refused("0123456789abcdef", 16, 0602, -EPERM, "chmod o=");
    write_file("0123456789abcdef", 16, 0660);
    assert_int_equal(ph_token_read(path, &token, NULL), 0);
}

static void what_is_no_regular_file_is_refused(void **state)
{
    struct ph_token token;
    struct ph_error error = {0, ""};
    assert_int_equal(ph_token_read("/dev/null", &token, &error), -EINVAL);
    assert_non_null(strstr(error.text, "/dev/null is not a regular file"));
    assert_int_equal(ph_token_read("/", &token, &error), -EINVAL);
    assert_int_equal(ph_token_read("/no/such/file", &token, &error), -ENOENT);
    assert_non_null(strstr(error.text, "/no/such/file"));
}

static void only_the_token_itself_matches(void **state)
{
    const struct ph_token token = {"0123456789abcdef", 16};
    assert_true(ph_token_matches(&token, "Bearer 0123456789abcdef"));
    assert_true(ph_token_matches(&token, "bearer   0123456789abcdef"));
    static const char *const wrong[] = {
        "",
        "Bearer",
        "Bearer ",
        "Bearer 0123456789abcde",
        "Bearer 0123456789abcdeF",
        "Bearer 1123456789abcdef",
        "Bearer 0123456789abcdeff",
        "Bearer 0123456789abcdef ",
        "Basic 0123456789abcdef",
        "Bearer0123456789abcdef",
        "0123456789abcdef",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(ph_token_matches(&token, wrong[i]));
    assert_false(ph_token_matches(&token, NULL));
}

static void addresses_and_localhost_are_allowed_as_host(void **state)
{
    static const char *const allowed[] = {
        "localhost", "LocalHost", "localhost:80", "127.0.0.1",     "127.0.0.1:6060",     "192.0.2.1",
        "[::1]",     "[::1]:1",   "[::]:65535",   "[2001:db8::1]", "[::ffff:127.0.0.1]",
    };
    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
        assert_true(ph_host_allowed(allowed[i]));
}

static void names_are_refused_as_host_however_they_look(void **state)
{
    static const char *const refused[] = {
        "",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "sub.localhost",
        "localhos",
        "localhost:x",
        "localhost:65536",
        "localhost:-1",
        "localhost:80:80",
        "127.1",
        "0x7f.0.0.1",
        "2130706433",
        "127.0.0.1 ",
        " 127.0.0.1",
        "::1",
        "[::1",
        "[::1]x",
        "[]",
        "[",
        "[::1%lo]",
        "[localhost]",
        "[127.0.0.1]",
        "127.0.0.1@evil.example",
        "localhost,evil.example",
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        assert_false(ph_host_allowed(refused[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_token_is_the_first_line_without_blanks_around_it),
        cmocka_unit_test(tokens_have_16_to_512_visible_characters),
        cmocka_unit_test(a_file_that_every_user_can_read_or_write_is_refused),
        cmocka_unit_test(what_is_no_regular_file_is_refused),
        cmocka_unit_test(only_the_token_itself_matches),
        cmocka_unit_test(addresses_and_localhost_are_allowed_as_host),
        cmocka_unit_test(names_are_refused_as_host_however_they_look),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
