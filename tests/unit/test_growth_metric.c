#include "grown.h"
#include "growth/metric.h"
#include "growth/noise.h"
#include "rich.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <string.h>

static void a_heap_profile_holds_all_four(void **state)
{
    struct ph_metric metric;
    struct ph_profile *profile = grown_heap(0);
    grown_add(profile, "main", 10, 100);
    assert_int_equal(ph_metric_find(profile, PH_HEAP_INUSE_SPACE, &metric, NULL), 0);
    for (int type = 0; type < PH_HEAP_TYPE_COUNT; type++)
        assert_int_equal(metric.places[type], type);
    assert_true(metric.rate_bytes == GROWN_RATE_BYTES);
    ph_profile_free(profile);
}

static void allocations_that_nobody_counted_are_not_held(void **state)
{
    struct ph_metric metric;
    struct ph_error error;
    struct ph_profile *profile = grown_heap(0);
    uint32_t frame = rich_named(profile, "main");
    ph_profile_add_sample(profile, &frame, 1, NULL, 0, (const int64_t[]){0, 0, 5, 50});
    assert_int_equal(ph_metric_find(profile, PH_HEAP_INUSE_SPACE, &metric, NULL), 0);
    assert_int_equal(metric.places[PH_HEAP_ALLOC_SPACE], -1);
    assert_int_equal(metric.places[PH_HEAP_INUSE_OBJECTS], PH_HEAP_INUSE_OBJECTS);
    assert_int_equal(ph_metric_find(profile, PH_HEAP_ALLOC_SPACE, &metric, &error), -EINVAL);
    assert_string_equal(error.text, "it holds no alloc_space: all of them are 0");
    ph_profile_free(profile);
}

static void a_heap_that_was_freed_as_a_whole_is_a_heap(void **state)
{
    struct ph_metric metric;
    struct ph_profile *profile = grown_heap(0);
    uint32_t frame = rich_named(profile, "main");
    ph_profile_add_sample(profile, &frame, 1, NULL, 0, (const int64_t[]){5, 50, 0, 0});
    assert_int_equal(ph_metric_find(profile, PH_HEAP_INUSE_SPACE, &metric, NULL), 0);
    assert_int_equal(metric.places[PH_HEAP_ALLOC_SPACE], PH_HEAP_ALLOC_SPACE);
    ph_profile_free(profile);
}

static int find_in(const char *type, const char *unit, enum ph_heap_type wanted, struct ph_metric *ret_metric,
                   struct ph_error *error)
{
    struct ph_profile *profile = ph_profile_new();
    ph_profile_add_type(profile, type, unit);
    int status = ph_metric_find(profile, wanted, ret_metric, error);
    ph_profile_free(profile);
    return status;
}

static void the_only_type_of_a_profile_is_the_metric_if_its_unit_fits(void **state)
{
    struct ph_metric metric;
    struct ph_error error;
    assert_int_equal(find_in("stacks", "bytes", PH_HEAP_INUSE_SPACE, &metric, NULL), 0);
    assert_int_equal(metric.places[PH_HEAP_INUSE_SPACE], 0);
    assert_int_equal(metric.places[PH_HEAP_INUSE_OBJECTS], -1);
    assert_true(metric.rate_bytes == 0);
    assert_int_equal(find_in("space", "bytes", PH_HEAP_INUSE_SPACE, &metric, NULL), 0);
    assert_int_equal(find_in("cpu", "nanoseconds", PH_HEAP_INUSE_SPACE, &metric, &error), -EINVAL);
    assert_string_equal(error.text, "it holds no inuse_space, but cpu");
    assert_int_equal(find_in("alloc_space", "bytes", PH_HEAP_INUSE_SPACE, &metric, &error), -EINVAL);
}

static void a_point_tells_how_much_was_really_sampled(void **state)
{
    struct ph_metric metric = {PH_HEAP_INUSE_SPACE, {0, 1, 2, 3}, GROWN_RATE_BYTES};
    const int64_t values[] = {2000, 2000 * 1024, 1000, 1000 * 1024};
    struct ph_point point = ph_metric_point(&metric, values);
    assert_true(point.values[PH_HEAP_INUSE_SPACE] == 1000 * 1024);
    assert_true(point.values[PH_HEAP_ALLOC_OBJECTS] == 2000);
    assert_true(fabs((double)point.sampled - 1000 * -expm1(-1024.0 / GROWN_RATE_BYTES)) < 1e-6);
    assert_true(point.variance == (float)(GROWN_RATE_BYTES * 1000.0 * 1024));
    metric.metric = PH_HEAP_ALLOC_OBJECTS;
    point = ph_metric_point(&metric, values);
    assert_true(fabs((double)point.sampled - 2000 * -expm1(-1024.0 / GROWN_RATE_BYTES)) < 1e-6);
    assert_true(point.variance == (float)ph_objects_variance(2000, 2000 * 1024, GROWN_RATE_BYTES));
}

static void what_a_profile_does_not_hold_is_zero_in_its_points(void **state)
{
    struct ph_metric metric = {PH_HEAP_INUSE_OBJECTS, {-1, -1, 0, -1}, GROWN_RATE_BYTES};
    struct ph_point point = ph_metric_point(&metric, (const int64_t[]){40});
    assert_true(point.values[PH_HEAP_INUSE_OBJECTS] == 40);
    assert_true(point.values[PH_HEAP_INUSE_SPACE] == 0);
    assert_true(point.sampled == 40); /* without sizes, each one counts */
    assert_true(point.variance == 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_heap_profile_holds_all_four),
        cmocka_unit_test(allocations_that_nobody_counted_are_not_held),
        cmocka_unit_test(a_heap_that_was_freed_as_a_whole_is_a_heap),
        cmocka_unit_test(the_only_type_of_a_profile_is_the_metric_if_its_unit_fits),
        cmocka_unit_test(a_point_tells_how_much_was_really_sampled),
        cmocka_unit_test(what_a_profile_does_not_hold_is_zero_in_its_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
