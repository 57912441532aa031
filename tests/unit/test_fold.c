#include "family/fold.h"
#include "model/check.h"
#include "model/heap_types.h"
#include "model/labels.h"
#include "rich.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct ph_label text_label(struct ph_profile *profile, const char *key, const char *text)
{
    return (struct ph_label){.key = ph_profile_string(profile, key), .text = ph_profile_string(profile, text)};
}

/* What process @pid holds at the stack @address, from samples that @origin took; every value is @bytes. */
static void hold(struct ph_profile *profile, const char *pid, const char *origin, bool is_inherited,
                 uint64_t address, int64_t bytes)
{
    struct ph_label labels[3];
    uint32_t count = 0;
    uint32_t location = ph_profile_add_location(profile, 0, address, false, NULL, 0);
    int64_t values[] = {bytes, bytes, bytes, bytes};
    if (is_inherited)
        labels[count++] = text_label(profile, PH_LABEL_ORIGIN, PH_LABEL_INHERITED);
    labels[count++] = text_label(profile, PH_LABEL_ORIGIN_PID, origin);
    labels[count++] = text_label(profile, PH_LABEL_PID, pid);
    ph_profile_add_sample(profile, &location, 1, labels, count, values);
}

static struct ph_profile *fold(struct ph_profile *take_profile)
{
    struct ph_profile *folded = NULL;
    struct ph_error error = {0, ""};
    if (ph_fold(take_profile, &folded, &error) < 0)
        fail_msg("%s", error.text);
    assert_int_equal(ph_profile_check(folded, NULL), 0);
    return folded;
}

static bool has_label(const struct ph_profile *profile, uint32_t sample, const char *key, const char *text)
{
    for (uint32_t i = 0; i < profile->samples[sample].label_count; i++) {
        const struct ph_label *label = &profile->labels[profile->samples[sample].first_label + i];
        if (strcmp(ph_profile_text(profile, label->key), key) == 0)
            return strcmp(ph_profile_text(profile, label->text), text) == 0;
    }
    return false;
}

/* What is counted for @pid at @address; -1 if nothing is. */
static int64_t counted(const struct ph_profile *profile, const char *pid, bool is_inherited, uint64_t address)
{
    for (uint32_t i = 0; i < profile->sample_count; i++) {
        uint32_t location = profile->frames[profile->samples[i].first_frame];
        if (has_label(profile, i, PH_LABEL_PID, pid) &&
            has_label(profile, i, PH_LABEL_ORIGIN, PH_LABEL_INHERITED) == is_inherited &&
            ph_profile_location(profile, location)->address == address)
            return ph_profile_values(profile, i)[PH_HEAP_INUSE_SPACE];
    }
    return -1;
}

static int64_t total(const struct ph_profile *profile)
{
    return ph_profile_total(profile, PH_HEAP_INUSE_SPACE);
}

static void what_the_owner_still_has_counts_once(void **state)
{
    struct ph_profile *all = rich_heap(1);
    hold(all, "10", "0", false, 0x1, 100);
    for (int i = 11; i < 19; i++) {
        char pid[16];
        snprintf(pid, sizeof(pid), "%d", i);
        hold(all, pid, "0", true, 0x1, 100);
        hold(all, pid, pid, false, 0x1, 7); /* its own, at the same place in the code */
    }
    struct ph_profile *folded = fold(all);
    assert_int_equal(total(folded), 100 + 8 * 7);
    assert_int_equal(counted(folded, "10", false, 0x1), 100);
    assert_int_equal(counted(folded, "11", false, 0x1), 7);
    assert_int_equal(folded->sample_count, 9);
    ph_profile_free(folded);
}

static void what_the_owner_has_freed_counts_once_with_who_holds_most(void **state)
{
    struct ph_profile *all = rich_heap(1);
    hold(all, "10", "0", false, 0x1, 30);
    hold(all, "11", "0", true, 0x1, 80);
    hold(all, "12", "0", true, 0x1, 100);
    hold(all, "13", "0", true, 0x1, 100);
    struct ph_profile *folded = fold(all);
    assert_int_equal(total(folded), 100);
    assert_int_equal(counted(folded, "10", false, 0x1), 30);
    assert_int_equal(counted(folded, "12", true, 0x1), 70);
    ph_profile_free(folded);
}

static void what_a_dead_owner_left_counts_once(void **state)
{
    struct ph_profile *all = rich_heap(1);
    hold(all, "11", "0", true, 0x1, 100);
    hold(all, "12", "0", true, 0x1, 100);
    hold(all, "12", "0", true, 0x2, 5); /* another stack */
    hold(all, "12", "12", false, 0x1, 1);
    struct ph_profile *folded = fold(all);
    assert_int_equal(total(folded), 106);
    assert_int_equal(counted(folded, "11", true, 0x1), 100);
    assert_int_equal(counted(folded, "12", true, 0x2), 5);
    assert_int_equal(counted(folded, "12", false, 0x1), 1);
    ph_profile_free(folded);
}

static void origins_are_counted_apart_and_shown_as_one(void **state)
{
    struct ph_profile *all = rich_heap(1); /* a grandchild holds what two ancestors left */
    hold(all, "30", "10", true, 0x1, 100);
    hold(all, "30", "20", true, 0x1, 50);
    hold(all, "20", "20", false, 0x1, 20);
    struct ph_profile *folded = fold(all);
    assert_int_equal(counted(folded, "30", true, 0x1), 100 + 30);
    assert_int_equal(counted(folded, "20", false, 0x1), 20);
    assert_int_equal(folded->sample_count, 2);
    ph_profile_free(folded);
}

static void each_value_is_counted_by_itself(void **state)
{
    struct ph_profile *all = rich_heap(1);
    hold(all, "10", "0", false, 0x1, 10);
    hold(all, "11", "0", true, 0x1, 10);
    ph_profile_values(all, 0)[PH_HEAP_ALLOC_SPACE] = 500;
    ph_profile_values(all, 1)[PH_HEAP_ALLOC_SPACE] = 40;
    ph_profile_values(all, 1)[PH_HEAP_INUSE_OBJECTS] = 12;
    struct ph_profile *folded = fold(all);
    assert_int_equal(ph_profile_total(folded, PH_HEAP_ALLOC_SPACE), 500);
    assert_int_equal(ph_profile_total(folded, PH_HEAP_INUSE_OBJECTS), 12);
    assert_int_equal(total(folded), 10);
    ph_profile_free(folded);
}

static void other_labels_keep_samples_apart_and_stay(void **state)
{
    struct ph_profile *all = rich_heap(1);
    for (int i = 0; i < 2; i++) {
        uint32_t location = ph_profile_add_location(all, 0, 0x1, false, NULL, 0);
        int64_t values[] = {1, 10, 1, 10};
        struct ph_label labels[] = {
            {.key = ph_profile_string(all, "bytes"), .number = i, .unit = ph_profile_string(all, "bytes")},
            text_label(all, PH_LABEL_ORIGIN, PH_LABEL_INHERITED),
            text_label(all, PH_LABEL_ORIGIN_PID, "0"),
            text_label(all, PH_LABEL_PID, "11"),
        };
        ph_profile_add_sample(all, &location, 1, labels, 4, values);
    }
    struct ph_profile *folded = fold(all);
    assert_int_equal(folded->sample_count, 2);
    assert_int_equal(folded->samples[1].label_count, 3);
    assert_int_equal(total(folded), 20);
    ph_profile_free(folded);
}

static void samples_without_these_labels_are_left_alone(void **state)
{
    struct ph_profile *rich = rich_profile(), *copy = rich_profile();
    struct ph_profile *folded = fold(copy);
    assert_int_equal(ph_profile_total(folded, 0), ph_profile_total(rich, 0));
    ph_profile_free(folded);
    ph_profile_free(rich);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_owner_still_has_counts_once),
        cmocka_unit_test(what_the_owner_has_freed_counts_once_with_who_holds_most),
        cmocka_unit_test(what_a_dead_owner_left_counts_once),
        cmocka_unit_test(origins_are_counted_apart_and_shown_as_one),
        cmocka_unit_test(each_value_is_counted_by_itself),
        cmocka_unit_test(other_labels_keep_samples_apart_and_stay),
        cmocka_unit_test(samples_without_these_labels_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
