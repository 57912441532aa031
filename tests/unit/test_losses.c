#include "task/losses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void what_profiles_lose_adds_up_until_a_fork(void **state)
{
    const struct ph_sampling_counts one = {.captured = 10, .dropped_full = 2, .lost_signal = 1},
                                    other = {.captured = 5, .tiny_stacks = 3};
    ph_losses_add(&one);
    ph_losses_add(&other);
    struct ph_sampling_counts sums = ph_losses_read();
    assert_int_equal(sums.captured, 15);
    assert_int_equal(sums.dropped_full, 2);
    assert_int_equal(sums.tiny_stacks, 3);
    assert_int_equal(sums.lost_signal, 1);
    assert_int_equal(sums.unarmed, 0);
    ph_losses_forked();
    assert_int_equal(ph_losses_read().captured, 0);
    assert_int_equal(ph_losses_read().lost_signal, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_profiles_lose_adds_up_until_a_fork),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
