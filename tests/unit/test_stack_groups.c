#include "dump_fixture.h"
#include "model/stack_groups.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void equal_stacks_are_one_group_whatever_their_labels(void **state)
{
    struct ph_profile *dump = threads_dump(NULL);
    struct ph_stack_groups groups;
    assert_int_equal(ph_stack_groups_make(dump, &groups), 0);
    assert_int_equal(groups.count, 4);
    assert_int_equal(groups.groups[0].total, 2); /* 101 and 102 */
    assert_int_equal(groups.groups[0].sample_count, 2);
    assert_int_equal(groups.groups[0].samples[0], 2);
    assert_int_equal(groups.groups[0].samples[1], 3);
    for (uint32_t i = 1; i < 4; i++)
        assert_int_equal(groups.groups[i].total, 1);
    assert_int_equal(groups.groups[1].samples[0], 0); /* of equal ones the first */
    assert_int_equal(groups.groups[2].samples[0], 1);
    assert_int_equal(groups.groups[3].samples[0], 4);
    ph_stack_groups_fini(&groups);
    ph_profile_free(dump);
}

static void without_samples_there_is_no_group(void **state)
{
    struct ph_profile *profile = ph_profile_new();
    struct ph_stack_groups groups;
    ph_profile_add_type(profile, "threads", "count");
    assert_int_equal(ph_stack_groups_make(profile, &groups), 0);
    assert_int_equal(groups.count, 0);
    ph_stack_groups_fini(&groups);
    ph_profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_stacks_are_one_group_whatever_their_labels),
        cmocka_unit_test(without_samples_there_is_no_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
