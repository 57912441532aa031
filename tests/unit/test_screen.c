#include "tools/screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static enum ph_key parse(const char *bytes, size_t *ret_length)
{
    return ph_screen_parse_key(bytes, strlen(bytes), ret_length);
}

static void letters_and_arrows_are_keys(void **state)
{
    static const struct {
        const char *bytes;
        enum ph_key key;
    } rows[] = {
        {"q", PH_SCREEN_QUIT},          {"k", PH_SCREEN_UP},
        {"\033[A", PH_SCREEN_UP},       {"\033OB", PH_SCREEN_DOWN},
        {"j", PH_SCREEN_DOWN},          {" ", PH_SCREEN_PAGE_DOWN},
        {"\033[5~", PH_SCREEN_PAGE_UP}, {"\033[6~", PH_SCREEN_PAGE_DOWN},
        {"g", PH_SCREEN_TOP},           {"\033[F", PH_SCREEN_BOTTOM},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t length = 0;
        assert_int_equal(parse(rows[i].bytes, &length), rows[i].key);
        assert_int_equal(length, strlen(rows[i].bytes));
    }
}

static void a_key_ends_where_the_next_begins(void **state)
{
    size_t length;
    assert_int_equal(parse("\033[Bq", &length), PH_SCREEN_DOWN);
    assert_int_equal(length, 3);
}

/* Otherwise the q that ends some key's sequence would end the command, and the rest of a sequence scroll. */
static void an_unknown_sequence_is_one_key_that_means_nothing(void **state)
{
    static const char *const bytes[] = {"\033[1;5q", "\033[200~", "\033Ok", "\033[", "\033", "\033[15~"};
    for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
        size_t length = 0;
        assert_int_equal(parse(bytes[i], &length), PH_SCREEN_NO_KEY);
        assert_int_equal(length, strlen(bytes[i]));
    }
}

static void other_characters_mean_nothing(void **state)
{
    static const char *const bytes[] = {"x", "1", "\x01", "\xc3"};
    for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
        size_t length = 0;
        assert_int_equal(parse(bytes[i], &length), PH_SCREEN_NO_KEY);
        assert_int_equal(length, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_and_arrows_are_keys),
        cmocka_unit_test(a_key_ends_where_the_next_begins),
        cmocka_unit_test(an_unknown_sequence_is_one_key_that_means_nothing),
        cmocka_unit_test(other_characters_mean_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
