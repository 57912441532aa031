#include "model/heap_types.h"
#include "rich.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>

static void a_heap_profile_has_gos_four_types_in_gos_order(void **state)
{
    static const char *const names[][2] = {
        {"alloc_objects", "count"}, {"alloc_space", "bytes"}, {"inuse_objects", "count"}, {"inuse_space", "bytes"}};
    struct ph_profile *profile = rich_heap(4096);
    assert_int_equal(profile->type_count, 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(ph_profile_text(profile, profile->types[i].type), names[i][0]);
        assert_string_equal(ph_profile_text(profile, profile->types[i].unit), names[i][1]);
        assert_int_equal(ph_profile_find_type(profile, names[i][0]), i);
    }
    assert_int_equal(PH_HEAP_INUSE_SPACE, 3);
    assert_string_equal(ph_profile_text(profile, profile->default_type), "inuse_space");
    assert_string_equal(ph_profile_text(profile, profile->period_type.type), "space");
    assert_string_equal(ph_profile_text(profile, profile->period_type.unit), "bytes");
    assert_int_equal(profile->period, 4096);
    assert_true(ph_heap_types_has(profile));
    ph_profile_free(profile);
}

static void types_that_are_there_stay_even_with_samples(void **state)
{
    struct ph_profile *profile = rich_heap(4096);
    rich_add(profile, (const char *const[]){"main", NULL}, 1);
    ph_heap_types_set(profile, 8192);
    assert_int_equal(ph_profile_status(profile), 0);
    assert_int_equal(profile->type_count, 4);
    assert_int_equal(profile->period, 8192);
    ph_profile_free(profile);
}

static void other_types_are_none_of_the_heap(void **state)
{
    struct ph_profile *profile = ph_profile_new();
    assert_false(ph_heap_types_has(profile));
    ph_profile_add_type(profile, "inuse_objects", "count");
    ph_profile_add_type(profile, "inuse_space", "bytes");
    ph_profile_add_type(profile, "alloc_objects", "count");
    ph_profile_add_type(profile, "alloc_space", "bytes");
    assert_false(ph_heap_types_has(profile)); /* another order */
    ph_heap_types_set(profile, 1);
    assert_true(ph_heap_types_has(profile)); /* taken over */
    ph_profile_add_type(profile, "fifth", "count");
    assert_false(ph_heap_types_has(profile));
    ph_profile_free(profile);
}

static void units_count_too(void **state)
{
    struct ph_profile *profile = rich_heap(1);
    profile->types[PH_HEAP_INUSE_SPACE].unit = ph_profile_string(profile, "kilobytes");
    assert_false(ph_heap_types_has(profile));
    ph_profile_free(profile);
}

static void a_comment_that_names_a_process_is_told_from_others(void **state)
{
    static const char *const others[] = {"",
                                         "process 7",
                                         "process 7, started ",
                                         "process x, started 5",
                                         "porthole 1",
                                         "process 7, started 5 or so",
                                         "process 7 (nginx) did not answer",
                                         "process 7, started 99999999999999999999",
                                         "process -7, started 5"};
    int64_t pid = 1, start_ns = 2;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(ph_heap_process_parse(others[i], &pid, &start_ns));
    assert_int_equal(pid, 1);
    assert_int_equal(start_ns, 2);
    assert_true(ph_heap_process_parse("process 7, started 1785000000000000000", &pid, &start_ns));
    assert_int_equal(pid, 7);
    assert_int_equal(start_ns, 1785000000000000000);
}

static void a_process_whose_part_is_missing_is_told_from_one_that_has_ended(void **state)
{
    assert_true(ph_heap_process_is_absent("process 7 (nginx) did not answer in 2.0 s"));
    assert_true(ph_heap_process_is_absent("process 7 (nginx) answered 503: busy"));
    assert_false(ph_heap_process_is_absent("process 7 (nginx) has ended, or runs another program now"));
    assert_false(ph_heap_process_is_absent("process 7, started 5"));
    assert_false(ph_heap_process_is_absent("processor"));
    assert_false(ph_heap_process_is_absent("porthole 0.1.0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_heap_profile_has_gos_four_types_in_gos_order),
        cmocka_unit_test(types_that_are_there_stay_even_with_samples),
        cmocka_unit_test(other_types_are_none_of_the_heap),
        cmocka_unit_test(units_count_too),
        cmocka_unit_test(a_comment_that_names_a_process_is_told_from_others),
        cmocka_unit_test(a_process_whose_part_is_missing_is_told_from_one_that_has_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
