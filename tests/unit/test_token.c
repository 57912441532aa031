#include "tools/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int read_from(const char *bytes, size_t size_bytes, char *ret_token, struct ph_error *error)
{
    char path[] = "/tmp/porthole-test.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size_bytes), size_bytes);
    close(fd);
    int result = ph_token_read(path, ret_token, error);
    unlink(path);
    return result;
}

static void the_first_line_without_blanks_is_the_token(void **state)
{
    static const char *const files[] = {"s3cret", "s3cret\n", "s3cret\r\nsecond line\n", "\t s3cret  \n"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char token[PH_TOKEN_MAX];
        assert_int_equal(read_from(files[i], strlen(files[i]), token, NULL), 0);
        assert_string_equal(token, "s3cret");
    }
}

static void a_line_that_no_header_can_hold_is_refused(void **state)
{
    static const char *const files[] = {"",
                                        "\n",
                                        "  \nsecond\n",
                                        "two words\n",
                                        "a\x1b\n",

                                        "gr\xc3\xb6n\n"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char token[PH_TOKEN_MAX];
        struct ph_error error;
        assert_int_equal(read_from(files[i], strlen(files[i]), token, &error), -EINVAL);
        assert_non_null(strstr(error.text, "token file"));
    }
}

static void tokens_have_a_longest(void **state)
{
    char line[PH_TOKEN_MAX + 8], token[PH_TOKEN_MAX];
    memset(line, 'x', sizeof(line));
    assert_int_equal(read_from(line, PH_TOKEN_MAX - 1, token, NULL), 0);
    assert_int_equal(strlen(token), PH_TOKEN_MAX - 1);
    assert_int_equal(read_from(line, PH_TOKEN_MAX, token, NULL), -EINVAL);
    assert_int_equal(read_from(line, sizeof(line), token, NULL), -EINVAL);
}

static void a_missing_file_is_told_with_its_name(void **state)
{
    char token[PH_TOKEN_MAX];
    struct ph_error error;
    assert_int_equal(ph_token_read("/no/such/token", token, &error), -ENOENT);
    assert_non_null(strstr(error.text, "/no/such/token"));
    assert_int_equal(ph_token_read("/tmp", token, &error), -EISDIR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_line_without_blanks_is_the_token),
        cmocka_unit_test(a_line_that_no_header_can_hold_is_refused),
        cmocka_unit_test(tokens_have_a_longest),
        cmocka_unit_test(a_missing_file_is_told_with_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
