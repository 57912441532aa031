#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

static void an_error_has_its_code_and_a_sentence(void **state)
{
    struct ph_error error = {0};
    assert_int_equal(ph_error_set(&error, -EINVAL, "line %d: expected %s", 3, "a count"), -EINVAL);
    assert_int_equal(error.code, -EINVAL);
    assert_string_equal(error.text, "line 3: expected a count");
}

static void who_asks_for_no_text_gets_the_code(void **state)
{
    assert_int_equal(ph_error_set(NULL, -ENOMEM, "no memory"), -ENOMEM);
}

static void long_sentences_are_cut(void **state)
{
    char name[2 * PH_ERROR_TEXT_MAX];
    struct ph_error error;
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    memset(&error, 'y', sizeof(error));
    ph_error_set(&error, -EINVAL, "%s", name);
    assert_int_equal(strlen(error.text), PH_ERROR_TEXT_MAX - 1);
    assert_memory_equal(error.text, name, PH_ERROR_TEXT_MAX - 1);
}

static void errno_of_the_caller_stays(void **state)
{
    struct ph_error error;
    errno = EAGAIN;
    ph_error_set(&error, -EINVAL, "%ls", L"\xdfff"); /* EILSEQ in any locale */
    assert_int_equal(errno, EAGAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_has_its_code_and_a_sentence),
        cmocka_unit_test(who_asks_for_no_text_gets_the_code),
        cmocka_unit_test(long_sentences_are_cut),
        cmocka_unit_test(errno_of_the_caller_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
