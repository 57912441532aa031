/*
 * test_simulation.c - the statistics of growth against programs whose truth is known: the short form.
 *
 * The same worlds and limits as `make simulate`, which takes many more of them. Seeds are fixed, so that a failure is
 * no bad luck: something has changed.
 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define MANY            5000 /* stacks of a large server */
#define FEW             200  /* where the others only take time */

static struct world_result run_many(struct world world, size_t run_count)
{
    struct world_result result;
    world.gain = 80;
    world_run(&world, run_count, 1 + world.point_count, &result);
    return result;
}

static void expect_at_most(size_t is, double limit, const char *what, const struct world *world)
{
    if ((double)is > limit)
        fail_msg("%s, %zu profiles: %zu %s, at most %g allowed", world_kind_name(world->kind), world->point_count,
                 is, what, limit);
}

/* At least @share of the special stacks have one of the labels @first .. PH_GROWTH_GROWING. */
static void expect_labelled(struct world world, size_t run_count, enum ph_growth_label first, double share)
{
    struct world_result result = run_many(world, run_count);
    size_t right = 0, all = run_count * world.special_count;
    for (size_t label = first; label < PH_GROWTH_LABEL_COUNT; label++)
        right += result.labels[label];
    expect_at_most(all - right, (1 - share) * (double)all, "missed", &world);
    world_result_fini(&result);
}

static void expect_not_growing(struct world world, size_t run_count, double limit)
{
    struct world_result result = run_many(world, run_count);
    expect_at_most(result.labels[PH_GROWTH_GROWING], limit, "called growing", &world);
    world_result_fini(&result);
}

/* Mean and variance of many draws, each within 5 standard errors; both methods on either side of their border. */
static void the_dice_are_fair(void **state)
{
    static const double means[] = {0.01, 3, 9.9, 10.1, 80, 1e5};
    enum { DRAWS = 40000 };
    struct random_state random;
    random_seed(&random, 1);
    for (size_t i = 0; i < COUNT_OF(means); i++) {
        for (int is_binomial = 0; is_binomial < 2; is_binomial++) {
            double mean = means[i], p = 0.3, sum = 0, squares = 0, count = ceil(mean / p);
            double expected = is_binomial ? count * p : mean, variance = is_binomial ? expected * (1 - p) : mean;
            for (int draw = 0; draw < DRAWS; draw++) {
                double off =
                    (is_binomial ? random_binomial(&random, count, p) : random_poisson(&random, mean)) - expected;
                sum += off;
                squares += off * off;
            }
            assert_true(fabs(sum / DRAWS) < 5 * sqrt(variance / DRAWS));
            assert_true(fabs(squares / DRAWS / variance - 1) < 5 * sqrt((2 + 1 / variance) / DRAWS));
        }
    }
}

static void where_nothing_grows_hardly_anything_is_called_growing(void **state)
{
    static const size_t points[] = {2, 3, 5, 8, 20, 60, 200};
    for (size_t i = 0; i < COUNT_OF(points); i++) {
        struct world world = {.kind = WORLD_STILL, .still_count = MANY, .point_count = points[i]};
        struct world_result result = run_many(world, 20);
        expect_at_most(result.still_labels[PH_GROWTH_GROWING], 1, "called growing in 20 runs", &world);
        world_result_fini(&result);
    }
}

static void knowing_what_was_allocated_gives_no_false_alarm(void **state)
{
    struct world world = {.kind = WORLD_STILL, .still_count = MANY, .point_count = 2, .has_churn = true};
    struct world_result result = run_many(world, 40);
    expect_at_most(result.still_labels[PH_GROWTH_GROWING], 1, "called growing in 40 runs", &world);
    world_result_fini(&result);
}

static void ten_leaks_among_thousands_are_found(void **state)
{
    static const size_t points[] = {2, 3, 5, 8, 20, 60, 200};
    for (size_t i = 0; i < COUNT_OF(points); i++) {
        struct world world = {WORLD_LEAK, MANY, 10, points[i], 0, false, false};
        expect_labelled(world, points[i] > 60 ? 4 : 10, PH_GROWTH_GROWING, 0.95);
    }
}

static void leaks_are_found_in_profiles_of_different_processes(void **state)
{
    static const size_t points[] = {2, 3, 5, 8, 12, 20, 60, 200};
    for (size_t i = 0; i < COUNT_OF(points); i++) {
        struct world world = {WORLD_LEAK_AFRESH, FEW, 10, points[i], 0, false, false};
        expect_labelled(world, 20, PH_GROWTH_GROWING, 0.95);
    }
}

static void leaks_are_found_with_the_strict_correction(void **state)
{
    struct world world = {WORLD_LEAK, MANY, 10, 20, 0, false, true};
    expect_labelled(world, 10, PH_GROWTH_GROWING, 0.95);
}

static void the_onset_is_found_within_a_twentieth_of_the_window(void **state)
{
    static const size_t points[] = {8, 12, 20, 60, 200};
    for (size_t i = 0; i < COUNT_OF(points); i++) {
        struct world world = {WORLD_LEAK_LATE, FEW, 10, points[i], 0, false, false};
        struct world_result result = run_many(world, 20);
        expect_at_most(200 - result.onset_count, 5, "without an onset", &world);
        expect_at_most((size_t)(1000 * world_onset_median(&result)), 50, "thousandths of the window", &world);
        expect_at_most(result.onset_count - result.onset_within, 50, "of 200 outside of the interval", &world);
        world_result_fini(&result);
    }
}

static void steps_are_steps(void **state)
{
    static const size_t points[] = {5, 8, 20, 60, 200};
    for (size_t i = 0; i < COUNT_OF(points); i++) {
        struct world world = {WORLD_STEP, FEW, 10, points[i], 0, false, false};
        expect_labelled(world, 20, PH_GROWTH_STEP, 0.95);
        expect_not_growing(world, 20, 2);
    }
}

static void caches_and_daily_load_do_not_grow(void **state)
{
    static const enum world_kind kinds[] = {WORLD_CACHE, WORLD_CACHE_LIMIT, WORLD_DAILY};
    static const size_t points[] = {8, 12, 20, 60, 200};
    for (size_t k = 0; k < COUNT_OF(kinds); k++)
        for (size_t i = 0; i < COUNT_OF(points); i++)
            expect_not_growing((struct world){kinds[k], FEW, 10, points[i], 0, false, false}, 20, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_dice_are_fair),
        cmocka_unit_test(where_nothing_grows_hardly_anything_is_called_growing),
        cmocka_unit_test(knowing_what_was_allocated_gives_no_false_alarm),
        cmocka_unit_test(ten_leaks_among_thousands_are_found),
        cmocka_unit_test(leaks_are_found_in_profiles_of_different_processes),
        cmocka_unit_test(leaks_are_found_with_the_strict_correction),
        cmocka_unit_test(the_onset_is_found_within_a_twentieth_of_the_window),
        cmocka_unit_test(steps_are_steps),
        cmocka_unit_test(caches_and_daily_load_do_not_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
