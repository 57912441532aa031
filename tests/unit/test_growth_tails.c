#include "growth/tails.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

/* Every value to 17 digits by mpmath at 40 digits; binomials below 10,000 trials as exact fractions. */

static void expect_within(double is, double should_be, double relative)
{
    if (fabs(is - should_be) > relative * fabs(should_be))
        fail_msg("%.17g, expected %.17g", is, should_be);
}

static void the_normal_tail_is_right_far_out(void **state)
{
    static const double rows[][2] = {
        {0, 0.5},
        {1, 0.15865525393145705},
        {1.959963984540054, 0.025000000000000014},
        {5, 2.8665157187919391e-7},
        {7, 1.279812543885835e-12},
        {10, 7.6198530241605261e-24},
        {37, 5.7255712225245768e-300},
        {-3, 0.99865010196836991},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        expect_within(ph_normal_tail(rows[i][0]), rows[i][1], 1e-13);
}

static void the_student_tail_is_right_far_out(void **state)
{
    static const double rows[][3] = {
        {1, 1, 0.25},
        {12.706204736, 1, 0.025000000000342327},
        {2.228138852, 10, 0.024999999999418255},
        {6, 10, 6.6054430177392802e-5},
        {10, 3.5, 0.00053573794780633193},
        {20, 58, 5.248030873158727e-28},
        {8, 198, 5.1243305883962093e-14},
        {-2, 5, 0.94903026058507082},
        {40, 18, 2.4326308461524955e-19},
        {1e-3, 4, 0.49962500007812498},
        {1e6, 1, 3.1830988618368457e-7},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        expect_within(ph_student_tail(rows[i][0], rows[i][1]), rows[i][2], 1e-11);
    assert_true(ph_student_tail(INFINITY, 3) == 0);
    assert_true(ph_student_tail(-INFINITY, 3) == 1);
    assert_true(ph_student_tail(0, 3) == 0.5);
}

static void the_binomial_tail_is_right_far_out(void **state)
{
    static const double rows[][3] = {
        {14, 14, 6.103515625e-5},
        {13, 13, 0.0001220703125},
        {100, 120, 2.7541954251270403e-14},
        {35, 40, 6.9130601332290098e-7},
        {60, 100, 0.028443966820490396},
        {520, 1000, 0.10872414660207047},
        {700, 1000, 8.8328390039750686e-38},
        {50, 100, 0.53979461869358938},
        {1, 5, 0.96875},
        {5020, 10000, 0.34826929248839441},
        {500300, 1000000, 0.27458645295655938},
        {505000, 1000000, 7.6907775219536759e-24},
        {7.5, 9.25, 0.056826264656615753},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        expect_within(ph_binomial_tail(rows[i][0], rows[i][1]), rows[i][2], 1e-8);
}

static void above_a_million_trials_the_normal_tail_serves(void **state)
{
    expect_within(ph_binomial_tail(2003000, 4000000), 0.0013521134004695395, 1e-4);
    expect_within(ph_binomial_tail(2006000, 4000000), 9.8960349301342364e-10, 1e-3);
    assert_true(ph_binomial_tail(9e17, 1e18) == 0);
}

static void the_binomial_tail_ends_where_the_coins_do(void **state)
{
    assert_true(ph_binomial_tail(0, 0) == 1);
    assert_true(ph_binomial_tail(0, 9) == 1);
    assert_true(ph_binomial_tail(-1, 9) == 1);
    assert_true(ph_binomial_tail(10, 9) == 0);
}

static void the_binomial_tail_falls_between_whole_numbers_too(void **state)
{
    for (double k = 0.25; k <= 40; k += 0.25)
        assert_true(ph_binomial_tail(k, 40) < ph_binomial_tail(k - 0.25, 40));
}

static void the_beta_function_is_right(void **state)
{
    static const double rows[][4] = {
        {0.5, 0.5, 0.25, 1.0 / 3},
        {2, 3, 0.5, 0.6875},
        {30, 0.1, 0.99, 0.092335331310629269},
        {20, 30, 0.02, 1.6981830004349775e-21},
        {5, 1e-3, 0.1, 2.1866831532492299e-9},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        expect_within(ph_beta_regularized(rows[i][0], rows[i][1], rows[i][2]), rows[i][3], 1e-11);
    assert_true(ph_beta_regularized(2, 3, 0) == 0);
    assert_true(ph_beta_regularized(2, 3, 1) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_normal_tail_is_right_far_out),
        cmocka_unit_test(the_student_tail_is_right_far_out),
        cmocka_unit_test(the_binomial_tail_is_right_far_out),
        cmocka_unit_test(above_a_million_trials_the_normal_tail_serves),
        cmocka_unit_test(the_binomial_tail_ends_where_the_coins_do),
        cmocka_unit_test(the_binomial_tail_falls_between_whole_numbers_too),
        cmocka_unit_test(the_beta_function_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
