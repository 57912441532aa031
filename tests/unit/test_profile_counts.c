#include "server/profile_counts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static void each_kind_is_counted_by_itself_and_a_child_begins_anew(void **state)
{
    ph_profile_counts_add(PH_PROFILE_CPU);
    ph_profile_counts_add(PH_PROFILE_CPU);
    ph_profile_counts_add(PH_PROFILE_WALL);
    assert_int_equal(ph_profile_counts_read(PH_PROFILE_CPU), 2);
    assert_int_equal(ph_profile_counts_read(PH_PROFILE_WALL), 1);
    assert_int_equal(ph_profile_counts_read(PH_PROFILE_HEAP), 0);
    ph_profile_counts_forked();
    for (int i = 0; i < PH_PROFILE_KINDS; i++)
        assert_int_equal(ph_profile_counts_read((enum ph_profile_kind)i), 0);
}

static void every_kind_has_a_name_of_its_own(void **state)
{
    for (int i = 0; i < PH_PROFILE_KINDS; i++)
        for (int j = 0; j < i; j++)
            assert_true(strcmp(ph_profile_kind_name((enum ph_profile_kind)i),
                               ph_profile_kind_name((enum ph_profile_kind)j)) != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_counted_by_itself_and_a_child_begins_anew),
        cmocka_unit_test(every_kind_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
