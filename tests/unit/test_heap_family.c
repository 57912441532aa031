#include "model/heap_types.h"
#include "tools/heap_family.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct ph_profile *new_profile(void)
{
    struct ph_profile *profile = ph_profile_new();
    assert_non_null(profile);
    ph_heap_types_set(profile, 4096);
    return profile;
}

/* @pid, @origin: labels; NULL for none. */
static void add(struct ph_profile *profile, int64_t bytes, const char *pid, const char *origin)
{
    uint32_t frame = ph_profile_add_location(profile, 0, (uint64_t)bytes, false, NULL, 0);
    struct ph_label labels[2];
    uint32_t count = 0;
    if (origin)
        labels[count++] = (struct ph_label){.key = ph_profile_string(profile, "origin"),
                                            .text = ph_profile_string(profile, origin)};
    if (pid)
        labels[count++] =
            (struct ph_label){.key = ph_profile_string(profile, "pid"), .text = ph_profile_string(profile, pid)};
    int64_t values[] = {1, 2 * bytes, 1, bytes};
    ph_profile_add_sample(profile, &frame, 1, labels, count, values);
}

static struct ph_heap_family make(const struct ph_profile *profile)
{
    struct ph_heap_family family;
    assert_int_equal(ph_heap_family_init(profile, PH_HEAP_INUSE_SPACE, &family), 0);
    return family;
}

static void expect(const struct ph_heap_family *family, size_t i, int64_t pid, int64_t total, int64_t inherited)
{
    assert_true(i < family->count);
    assert_int_equal(family->processes[i].pid, pid);
    assert_int_equal(family->processes[i].total, total);
    assert_int_equal(family->processes[i].inherited, inherited);
}

static void processes_are_told_by_their_label_the_largest_first(void **state)
{
    struct ph_profile *profile = new_profile();
    add(profile, 100, "7", NULL);
    add(profile, 300, "8", NULL);
    add(profile, 50, "8", "inherited");
    add(profile, 20, "7", "elsewhere");
    add(profile, -900, "9", NULL); /* freed meanwhile */
    struct ph_heap_family family = make(profile);
    assert_int_equal(family.count, 3);
    expect(&family, 0, 9, -900, 0);
    expect(&family, 1, 8, 350, 50);
    expect(&family, 2, 7, 120, 0);
    assert_int_equal(family.inherited, 50);
    assert_true(ph_heap_family_has(&family, 8));
    assert_false(ph_heap_family_has(&family, 10));
    ph_heap_family_fini(&family);
    ph_profile_free(profile);
}

static void a_process_that_holds_nothing_counts_if_a_comment_names_it(void **state)
{
    struct ph_profile *profile = new_profile();
    add(profile, 100, "7", NULL);
    ph_profile_add_comment(profile, "process 7, started 1");
    ph_profile_add_comment(profile, "process 8, started 1");
    ph_profile_add_comment(profile, "process 9 (x) did not answer in 2.0 s");
    struct ph_heap_family family = make(profile);
    assert_int_equal(family.count, 2);
    expect(&family, 1, 8, 0, 0);
    ph_heap_family_fini(&family);
    ph_profile_free(profile);
}

static void without_labels_all_is_of_the_only_process_that_is_named(void **state)
{
    struct ph_profile *profile = new_profile();
    add(profile, 100, NULL, NULL);
    add(profile, 20, NULL, "inherited");
    struct ph_heap_family family = make(profile);
    assert_int_equal(family.count, 0);
    assert_int_equal(family.inherited, 20);
    ph_heap_family_fini(&family);
    ph_profile_add_comment(profile, "process 7, started 1");
    family = make(profile);
    assert_int_equal(family.count, 1);
    expect(&family, 0, 7, 120, 20);
    ph_heap_family_fini(&family);
    ph_profile_free(profile);
}

static void labels_that_are_no_process_ids_are_nobodys(void **state)
{
    static const char *const labels[] = {"", "x", "-1", "0", "99999999999999999999"};
    struct ph_profile *profile = new_profile();
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
        add(profile, 100, labels[i], NULL);
    struct ph_heap_family family = make(profile);
    assert_int_equal(family.count, 0);
    ph_heap_family_fini(&family);
    ph_profile_free(profile);
}

static void a_part_is_what_one_process_holds(void **state)
{
    struct ph_profile *profile = new_profile();
    struct ph_heap_part part;
    add(profile, 100, "7", NULL);
    add(profile, 300, "8", NULL);
    add(profile, 20, "7", NULL);
    ph_profile_add_comment(profile, "process 8, started 1");
    assert_int_equal(ph_heap_part_init(profile, 7, &part), 0);
    assert_int_equal(part.view.sample_count, 2);
    assert_int_equal(part.view.comment_count, 0);
    assert_int_equal(ph_profile_total(&part.view, PH_HEAP_INUSE_SPACE), 120);
    assert_int_equal(ph_profile_total(&part.view, PH_HEAP_ALLOC_SPACE), 240);
    ph_heap_part_fini(&part);
    assert_int_equal(ph_heap_part_init(profile, 9, &part), 0);
    assert_int_equal(part.view.sample_count, 0);
    ph_heap_part_fini(&part);
    assert_int_equal(ph_profile_total(profile, PH_HEAP_INUSE_SPACE), 420);
    ph_profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes_are_told_by_their_label_the_largest_first),
        cmocka_unit_test(a_process_that_holds_nothing_counts_if_a_comment_names_it),
        cmocka_unit_test(without_labels_all_is_of_the_only_process_that_is_named),
        cmocka_unit_test(labels_that_are_no_process_ids_are_nobodys),
        cmocka_unit_test(a_part_is_what_one_process_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
