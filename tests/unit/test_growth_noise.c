#include "growth/noise.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

#define KIB 1024.0

static void expect(double is, double should_be)
{
    assert_true(fabs(is - should_be) <= 1e-12 * fabs(should_be));
}

/* The example of doc/sampling.md: 148 samples of 41,128 bytes at 512 KiB stand for 1,962 objects, 80,677,881 bytes. */
static void what_was_sampled_comes_back_from_what_is_estimated(void **state)
{
    assert_true(fabs(ph_sampled_count(1962, 80677881, 512 * KIB) - 148) < 0.05);
    /* Large objects are all sampled; of small ones, bytes / R is what is seen. */
    expect(ph_sampled_count(7, 7e12, 512 * KIB), 7);
    assert_true(fabs(ph_sampled_count(1e6, 16e6, 512 * KIB) - 16e6 / (512 * KIB)) < 1e-3);
}

static void without_a_rate_every_object_was_seen(void **state)
{
    static const double rates[] = {0, 1, -5, NAN};
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        expect(ph_sampled_count(40, 4000, rates[i]), 40);
        /* Turnover of a Poisson population: n x^2, a relative error of 1 / sqrt(n). */
        expect(ph_bytes_variance(40, 4000, rates[i]), 40 * 100 * 100);
        expect(ph_objects_variance(40, 4000, rates[i]), 40);
    }
}

static void without_objects_the_count_follows_from_the_bytes(void **state)
{
    expect(ph_sampled_count(NAN, 100 * KIB, 4 * KIB), 25);
    expect(ph_sampled_count(NAN, 5120 * KIB, 0), 10);
    expect(ph_bytes_variance(NAN, 100 * KIB, 4 * KIB), 4 * KIB * 100 * KIB);
    expect(ph_bytes_variance(NAN, 100 * KIB, 0), 512 * KIB * 100 * KIB);
}

static void variance_is_bounded_by_rate_times_bytes(void **state)
{
    expect(ph_bytes_variance(10, 1e6, 4096), 4.096e9);
    expect(ph_bytes_variance(1e5, 1e6, 4096), 4.096e9);
    /* 10 objects of 1e5 bytes: the relative error is that of the bytes. */
    expect(sqrt(ph_objects_variance(10, 1e6, 4096)) / 10, sqrt(4.096e9) / 1e6);
}

/* Exact for objects of one size below R, and above it for every size: s^2 (1 - p) / p <= R s. */
static void the_bound_holds_for_every_size(void **state)
{
    for (double size = 1; size < 1e9; size *= 3) {
        double p = -expm1(-size / 524288);
        assert_true(size * size * (1 - p) / p <= ph_bytes_variance(1, size, 524288));
        assert_true((1 - p) / (p * p) <= 1.0001 * ph_objects_variance(1, size, 524288) / p);
    }
}

static void what_makes_no_sense_counts_as_no_sample(void **state)
{
    assert_true(ph_sampled_count(0, 0, 4096) == 0);
    assert_true(ph_sampled_count(0, 5000, 4096) == 0);
    assert_true(ph_sampled_count(-3, -3000, 4096) == 0);
    assert_true(ph_sampled_count(3, -3000, 4096) == 0);
    assert_true(ph_sampled_count(NAN, -5, 4096) == 0);
    expect(ph_sampled_count(5, 0, 4096), 5);
    expect(ph_bytes_variance(-3, -3000, 4096), 3000 * 4096);
    assert_true(ph_bytes_variance(0, 0, 4096) == 0);
    assert_true(ph_objects_variance(0, 0, 4096) == 0);
}

static void survivors_add_no_variance_to_a_change(void **state)
{
    /* 10 MB allocated, 4 MB more in use: 6 MB were freed. */
    expect(ph_churn_variance(10e6, 4e6, 4096), 16e6 * 4096);
    /* Shrinking: 1 MB allocated, 5 MB less in use: 6 MB were freed. */
    expect(ph_churn_variance(1e6, -5e6, 4096), 7e6 * 4096);
    /* More in use than was allocated cannot be: rounding. */
    expect(ph_churn_variance(4e6, 4.1e6, 4096), 4e6 * 4096);
    assert_true(ph_churn_variance(0, 0, 4096) == 0);
}

static void churn_is_not_known_without_a_rate_or_of_another_process(void **state)
{
    assert_true(ph_churn_variance(-1, 0, 4096) < 0);
    assert_true(ph_churn_variance(NAN, 0, 4096) < 0);
    assert_true(ph_churn_variance(10e6, 4e6, 0) < 0);
    assert_true(ph_churn_variance(10e6, 4e6, 1) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sampled_comes_back_from_what_is_estimated),
        cmocka_unit_test(without_a_rate_every_object_was_seen),
        cmocka_unit_test(without_objects_the_count_follows_from_the_bytes),
        cmocka_unit_test(variance_is_bounded_by_rate_times_bytes),
        cmocka_unit_test(the_bound_holds_for_every_size),
        cmocka_unit_test(what_makes_no_sense_counts_as_no_sample),
        cmocka_unit_test(survivors_add_no_variance_to_a_change),
        cmocka_unit_test(churn_is_not_known_without_a_rate_or_of_another_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
