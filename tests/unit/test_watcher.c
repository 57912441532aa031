#include "tools/watcher.h"

#include "rich.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#define S   INT64_C(1000000000)
#define MIB (INT64_C(1) << 20)

/* The @i-th profile of a program that leaks a MiB from one to the next. */
static struct ph_profile *leaking(uint64_t i)
{
    static const uint64_t leak[] = {1, 2}, rest[] = {3, 2};
    struct ph_profile *profile = rich_heap(MIB / 64);
    rich_add_heap(profile, leak, 2, (int64_t)(i + 1) * 16, (int64_t)(i + 1) * MIB);
    rich_add_heap(profile, rest, 2, 640, 40 * MIB);
    profile->time_ns = (int64_t)(1000 + 10 * i) * S;
    return profile;
}

static void watch(struct ph_watcher *watcher, uint64_t from, uint64_t to)
{
    struct ph_error error;
    for (uint64_t i = from; i < to; i++) {
        struct ph_profile *profile = leaking(i);
        assert_int_equal(ph_watcher_add(watcher, profile, &error), 0);
        ph_profile_free(profile);
    }
}

static struct ph_growth_options options = {.metric = PH_HEAP_INUSE_SPACE, .by = PH_BY_ADDRESS, .min_change = -1};

static void the_first_profile_alone_makes_no_report(void **state)
{
    struct ph_watcher watcher;
    assert_int_equal(ph_watcher_init(&watcher, &options, NULL), 0);
    watch(&watcher, 0, 1);
    assert_null(watcher.report);
    assert_int_equal(watcher.number, 1);
    watch(&watcher, 1, 2);
    assert_non_null(watcher.report);
    ph_watcher_fini(&watcher);
}

static void the_report_is_of_all_profiles_so_far(void **state)
{
    struct ph_watcher watcher;
    assert_int_equal(ph_watcher_init(&watcher, &options, NULL), 0);
    watch(&watcher, 0, 10);
    assert_int_equal(watcher.report->profile_count, 10);
    assert_int_equal((int64_t)watcher.report->sites[0].verdict.change, 9 * MIB);
    assert_int_equal(watcher.report->sites[0].verdict.label, PH_GROWTH_GROWING);
    ph_watcher_fini(&watcher);
}

static void many_profiles_are_thinned_out_and_the_first_stays(void **state)
{
    struct ph_watcher watcher;
    assert_int_equal(ph_watcher_init(&watcher, &options, NULL), 0);
    watch(&watcher, 0, PH_SPOOL_MAX);
    assert_int_equal(watcher.report->profile_count, PH_SPOOL_MAX);
    watch(&watcher, PH_SPOOL_MAX, PH_SPOOL_MAX + 1);
    assert_int_equal(watcher.number, PH_SPOOL_MAX + 1);
    assert_int_equal(watcher.report->profile_count, PH_SPOOL_MAX * 3 / 4 + 1);
    assert_string_equal(watcher.report->profiles[0].name, "profile 1");
    assert_string_equal(watcher.report->profiles[1].name, "profile 3");
    assert_int_equal((int64_t)watcher.report->sites[0].verdict.change, PH_SPOOL_MAX * MIB);
    assert_int_equal(watcher.report->sites[0].verdict.label, PH_GROWTH_GROWING);
    watch(&watcher, PH_SPOOL_MAX + 1, 2 * PH_SPOOL_MAX);
    assert_true(watcher.report->profile_count <= PH_SPOOL_MAX);
    assert_true(watcher.spool.count <= PH_SPOOL_MAX);
    assert_string_equal(watcher.report->profiles[0].name, "profile 1");
    assert_string_equal(watcher.report->profiles[watcher.report->profile_count - 1].name, "profile 400");
    ph_watcher_fini(&watcher);
}

static void a_profile_that_is_none_of_a_heap_changes_nothing(void **state)
{
    struct ph_watcher watcher;
    struct ph_error error;
    assert_int_equal(ph_watcher_init(&watcher, &options, NULL), 0);
    watch(&watcher, 0, 3);
    struct ph_profile *cpu = ph_profile_new();
    ph_profile_add_type(cpu, "cpu", "nanoseconds");
    assert_int_equal(ph_watcher_add(&watcher, cpu, &error), -EINVAL);
    assert_int_equal(watcher.number, 3);
    assert_int_equal(watcher.spool.count, 3);
    ph_profile_free(cpu);
    watch(&watcher, 3, 4);
    assert_int_equal(watcher.report->profile_count, 4);
    ph_watcher_fini(&watcher);
}

static void wrong_options_are_refused(void **state)
{
    struct ph_watcher watcher;
    struct ph_error error;
    struct ph_growth_options wrong = options;
    wrong.focus = "(";
    assert_int_equal(ph_watcher_init(&watcher, &wrong, &error), -EINVAL);
}

static void what_is_kept_is_read_again_as_it_was(void **state)
{
    struct ph_spool spool = {.file = NULL};
    struct ph_profile *profile = rich_profile(), *again;
    struct ph_error error;
    for (uint64_t i = 0; i < 7; i++) {
        struct ph_profile *other = leaking(i);
        assert_int_equal(ph_spool_add(&spool, i == 4 ? profile : other, i, &error), 0);
        ph_profile_free(other);
    }
    assert_int_equal(ph_spool_thin(&spool, &error), 0);
    assert_int_equal(spool.count, 6); /* 0, 2 of the older half; 3, 4, 5, 6 */
    assert_int_equal(spool.entries[1].number, 2);
    assert_int_equal(spool.entries[3].number, 4);
    assert_int_equal(ph_spool_read(&spool, 3, &again, &error), 0);
    rich_expect_equal(again, profile);
    ph_profile_free(again);
    ph_profile_free(profile);
    ph_spool_fini(&spool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_profile_alone_makes_no_report),
        cmocka_unit_test(the_report_is_of_all_profiles_so_far),
        cmocka_unit_test(many_profiles_are_thinned_out_and_the_first_stays),
        cmocka_unit_test(a_profile_that_is_none_of_a_heap_changes_nothing),
        cmocka_unit_test(wrong_options_are_refused),
        cmocka_unit_test(what_is_kept_is_read_again_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
