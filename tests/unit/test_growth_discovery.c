#include "growth/discovery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

static void expect(const double *is, const double *should_be, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_true(fabs(is[i] - should_be[i]) < 1e-12);
}

/* The 15 p-values of Benjamini and Hochberg (1995), section 4, a study of heart attacks: at 0.05, four are rejected. */
static const double heart[15] = {0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
                                 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000};

static void the_published_example_has_four_discoveries(void **state)
{
    double q[15];
    assert_int_equal(ph_discovery_bh(heart, 15, false, q), 0);
    for (size_t i = 0; i < 15; i++)
        assert_int_equal(q[i] <= 0.05, i < 4);
    assert_true(fabs(q[0] - 0.0015) < 1e-12);
    assert_true(fabs(q[3] - 0.0095 * 15 / 4) < 1e-12);
}

static void strict_pays_the_harmonic_sum(void **state)
{
    double q[15], strict[15], sum = 0;
    for (int i = 1; i <= 15; i++)
        sum += 1.0 / i;
    assert_int_equal(ph_discovery_bh(heart, 15, false, q), 0);
    assert_int_equal(ph_discovery_bh(heart, 15, true, strict), 0);
    for (size_t i = 0; i < 15; i++)
        assert_true(fabs(strict[i] - fmin(1, q[i] * sum)) < 1e-12);
}

static void order_does_not_matter_and_q_never_falls_with_p(void **state)
{
    double p[] = {0.04, 0.01, 0.03, 0.02, 0.8};
    /* Sorted: .01 * 5/1, .02 * 5/2, .03 * 5/3, .04 * 5/4, all .05. */
    static const double q[] = {0.05, 0.05, 0.05, 0.05, 0.8};
    assert_int_equal(ph_discovery_bh(p, 5, false, p), 0);
    expect(p, q, 5);
}

static void one_p_is_its_own_q_and_none_is_fine(void **state)
{
    double p = 0.03, q = -1;
    assert_int_equal(ph_discovery_bh(&p, 1, true, &q), 0);
    expect(&q, &p, 1);
    assert_int_equal(ph_discovery_bh(NULL, 0, false, NULL), 0);
}

static void what_is_not_a_number_is_not_a_discovery(void **state)
{
    const double p[] = {NAN, 0.001, NAN};
    double q[3];
    static const double should_be[] = {1, 0.003, 1};
    assert_int_equal(ph_discovery_bh(p, 3, false, q), 0);
    expect(q, should_be, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_example_has_four_discoveries),
        cmocka_unit_test(strict_pays_the_harmonic_sum),
        cmocka_unit_test(order_does_not_matter_and_q_never_falls_with_p),
        cmocka_unit_test(one_p_is_its_own_q_and_none_is_fine),
        cmocka_unit_test(what_is_not_a_number_is_not_a_discovery),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
