#include "family/family.h"
#include "family/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static int set_up(void **state)
{
    ph_tally_forked();
    return 0;
}

static void reasons_add_up_over_all_questions(void **state)
{
    struct ph_tally_round round = {.asked_count = 8};
    round.unanswered_count[PH_UNANSWERED_LATE] = 2;
    round.unanswered_count[PH_UNANSWERED_BROKEN] = 1;
    ph_tally_add(&round);
    ph_tally_add(&round);
    struct ph_tally tally = ph_tally_read();
    assert_int_equal(tally.unanswered_count[PH_UNANSWERED_LATE], 4);
    assert_int_equal(tally.unanswered_count[PH_UNANSWERED_BROKEN], 2);
    assert_int_equal(tally.unanswered_count[PH_UNANSWERED_GONE], 0);
}

static void the_last_question_is_told_by_itself(void **state)
{
    struct ph_tally_round bad = {.asked_count = 8, .unanswered_count = {2, 0, 1, 0}};
    struct ph_tally_round good = {.asked_count = 7};
    ph_tally_add(&bad);
    assert_int_equal(ph_tally_read().last_asked_count, 8);
    assert_int_equal(ph_tally_read().last_unanswered_count, 3);
    ph_tally_add(&good);
    assert_int_equal(ph_tally_read().last_asked_count, 7);
    assert_int_equal(ph_tally_read().last_unanswered_count, 0);
}

static void a_forked_child_begins_with_nothing(void **state)
{
    struct ph_tally_round round = {.asked_count = 8, .unanswered_count = {1, 1, 1, 1}};
    struct ph_tally nothing = {{0}, 0, 0};
    ph_tally_add(&round);
    ph_family_forked();
    struct ph_tally tally = ph_tally_read();
    assert_memory_equal(&tally, &nothing, sizeof(tally));
}

static void every_reason_has_a_name_of_its_own(void **state)
{
    for (int i = 0; i < PH_UNANSWERED_KINDS; i++) {
        assert_non_null(ph_unanswered_name((enum ph_unanswered)i));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(ph_unanswered_name((enum ph_unanswered)i),
                                    ph_unanswered_name((enum ph_unanswered)j));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reasons_add_up_over_all_questions, set_up),
        cmocka_unit_test_setup(the_last_question_is_told_by_itself, set_up),
        cmocka_unit_test_setup(a_forked_child_begins_with_nothing, set_up),
        cmocka_unit_test_setup(every_reason_has_a_name_of_its_own, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
