#include "tools/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char *const names[] = {"run", "ps", "heap", "help", NULL};

static void slips_of_the_finger_are_understood(void **state)
{
    assert_string_equal(ph_nearest("haep", names), "heap");
    assert_string_equal(ph_nearest("hep", names), "heap");
    assert_string_equal(ph_nearest("heapp", names), "heap");
    assert_string_equal(ph_nearest("rum", names), "run");
    assert_string_equal(ph_nearest("pz", names), "ps");
    assert_string_equal(ph_nearest("hlep", names), "help");
}

static void the_nearer_name_wins(void **state)
{
    static const char *const close[] = {"record", "diff", "report", NULL};
    assert_string_equal(ph_nearest("recrod", close), "record");
    assert_string_equal(ph_nearest("reprot", close), "report");
}

static void what_is_not_near_is_not_guessed(void **state)
{
    assert_null(ph_nearest("", names));
    assert_null(ph_nearest("top", names));
    assert_null(ph_nearest("x", names));
    assert_null(ph_nearest("ab", names));
    assert_null(ph_nearest("a word that is far longer than any command name could be", names));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slips_of_the_finger_are_understood),
        cmocka_unit_test(the_nearer_name_wins),
        cmocka_unit_test(what_is_not_near_is_not_guessed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
