#include "model/check.h"
#include "model/heap_types.h"
#include "model/merge.h"
#include "model/scale.h"
#include "rich.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct ph_profile *merge(const struct ph_profile *a, const struct ph_profile *b)
{
    const struct ph_profile *both[] = {a, b};
    struct ph_profile *merged = NULL;
    struct ph_error error = {0};
    if (ph_profile_merge(both, b ? 2 : 1, &merged, &error) < 0)
        fail_msg("%s", error.text);
    assert_int_equal(ph_profile_check(merged, NULL), 0);
    return merged;
}

/* A server that was loaded at @start: one stack, @bytes each. */
static struct ph_profile *server_at(uint64_t start, const char *file, const char *build_id, int64_t bytes)
{
    struct ph_profile *profile = rich_heap(524288);
    struct ph_mapping mapping = {
        .start = start,
        .limit = start + 0x10000 - (start & 0xf000) / 16, /* sizes agree once rounded to pages */
        .offset = 0x1000,
        .file = ph_profile_string(profile, file),
        .build_id = ph_profile_string(profile, build_id),
        .has_functions = bytes > 100,
        .has_filenames = true,
    };
    ph_profile_add_mapping(profile, &mapping);
    rich_add_heap(profile, (const uint64_t[]){start + 0x10, start + 0x20}, 2, 1, bytes);
    return profile;
}

static void expect_merged(struct ph_profile *take_a, struct ph_profile *take_b, uint32_t mappings, uint32_t samples)
{
    struct ph_profile *merged = merge(take_a, take_b);
    assert_int_equal(merged->mapping_count, mappings);
    assert_int_equal(merged->sample_count, samples);
    for (uint32_t i = 0; i < PH_HEAP_TYPE_COUNT; i++)
        assert_int_equal(ph_profile_total(merged, i), ph_profile_total(take_a, i) + ph_profile_total(take_b, i));
    ph_profile_free(take_a);
    ph_profile_free(take_b);
    ph_profile_free(merged);
}

static void one_profile_merges_to_itself_without_its_zeros(void **state)
{
    struct ph_profile *profile = rich_profile();
    struct ph_profile *merged = merge(profile, NULL);
    rich_expect_equal(profile, merged);
    ph_profile_free(merged);
    uint32_t frame = rich_named(profile, "nothing came of it");
    ph_profile_add_sample(profile, &frame, 1, NULL, 0, (const int64_t[]){0, 0});
    merged = merge(profile, NULL);
    assert_int_equal(merged->sample_count, profile->sample_count - 1);
    assert_int_equal(merged->location_count, profile->location_count - 1);
    ph_profile_free(merged);
    ph_profile_free(profile);
}

static void load_addresses_do_not_matter(void **state)
{
    struct ph_profile *a = server_at(0x550000001000, "/bin/server", "abc", 200);
    struct ph_profile *b = server_at(0x560000002000, "/bin/server", "abc", 30);
    struct ph_profile *merged = merge(a, b);
    assert_int_equal(merged->mapping_count, 1);
    assert_int_equal(merged->sample_count, 1);
    assert_int_equal(merged->mappings[0].start, 0x550000001000);
    assert_int_equal(merged->locations[0].address, 0x550000001010);
    assert_int_equal(ph_profile_values(merged, 0)[PH_HEAP_INUSE_SPACE], 230);
    assert_int_equal(ph_profile_values(merged, 0)[PH_HEAP_ALLOC_OBJECTS], 4);
    assert_false(merged->mappings[0].has_functions); /* not in both */
    assert_true(merged->mappings[0].has_filenames);
    ph_profile_free(a);
    ph_profile_free(b);
    ph_profile_free(merged);
}

static void builds_decide_before_names(void **state)
{
    expect_merged(server_at(0x1000, "/bin/server", "abc", 1), server_at(0x2000, "/opt/server", "abc", 2), 1, 1);
    expect_merged(server_at(0x1000, "/bin/server", "abc", 1), server_at(0x2000, "/bin/server", "def", 2), 2, 2);
    expect_merged(server_at(0x1000, "/bin/server", "abc", 1), server_at(0x2000, "/bin/server", "", 2), 2, 2);
    expect_merged(server_at(0x1000, "/bin/server", "", 1), server_at(0x2000, "/bin/server", "", 2), 1, 1);
    expect_merged(server_at(0x1000, "/bin/server", "", 1), server_at(0x2000, "/bin/other", "", 2), 2, 2);
}

static void sizes_and_offsets_decide_too(void **state)
{
    struct ph_profile *a = server_at(0x1000, "/bin/server", "abc", 1),
                      *b = server_at(0x1000, "/bin/server", "abc", 2);
    b->mappings[0].offset += 0x1000;
    expect_merged(a, b, 2, 2);
    a = server_at(0x1000, "/bin/server", "abc", 1);
    b = server_at(0x1000, "/bin/server", "abc", 2);
    b->mappings[0].limit += 0x1000;
    expect_merged(a, b, 2, 2);
}

static void functions_and_labels_merge_by_what_they_say(void **state)
{
    struct ph_profile *a = rich_profile();
    struct ph_profile *copy = merge(a, NULL);
    struct ph_profile *merged = merge(a, copy);
    assert_int_equal(merged->sample_count, a->sample_count);
    assert_int_equal(merged->function_count, a->function_count);
    assert_int_equal(merged->location_count, a->location_count);
    assert_int_equal(ph_profile_values(merged, 1)[0], 4);
    assert_int_equal(ph_profile_values(merged, 1)[1], -8192);
    assert_true(ph_profile_values(merged, 0)[1] == INT64_MAX);
    ph_profile_free(a);
    ph_profile_free(copy);
    ph_profile_free(merged);
}

static void headers_are_joined(void **state)
{
    struct ph_profile *a = rich_profile(), *b = rich_profile();
    b->time_ns -= 5;
    b->duration_ns = 7;
    b->period *= 2;
    a->default_type = 0;
    ph_profile_add_comment(b, "only in b");
    struct ph_profile *merged = merge(a, b);
    assert_true(merged->time_ns == b->time_ns);
    assert_true(merged->duration_ns == a->duration_ns + 7);
    assert_true(merged->period == b->period);
    assert_string_equal(ph_profile_text(merged, merged->default_type), "samples");
    assert_string_equal(ph_profile_text(merged, merged->drop_frames), "drop.*");
    assert_string_equal(ph_profile_text(merged, merged->keep_frames), "keep|hold");
    assert_int_equal(merged->comment_count, 3);
    assert_string_equal(ph_profile_text(merged, merged->comments[0]), "first");
    assert_string_equal(ph_profile_text(merged, merged->comments[2]), "only in b");
    ph_profile_free(merged);
    b->time_ns = 0; /* unknown */
    merged = merge(a, b);
    assert_true(merged->time_ns == a->time_ns);
    ph_profile_free(merged);
    ph_profile_free(a);
    ph_profile_free(b);
}

/* Where the server grew between two profiles, after it was started anew. */
static void a_delta_is_the_second_and_the_first_negated(void **state)
{
    struct ph_profile *first = server_at(0x1000, "/bin/server", "abc", 100);
    struct ph_profile *second = server_at(0x2000, "/bin/server", "abc", 130);
    rich_add_heap(first, (const uint64_t[]){0x1100}, 1, 5, 50); /* stays */
    rich_add_heap(second, (const uint64_t[]){0x2100}, 1, 5, 50);
    rich_add_heap(first, (const uint64_t[]){0x1200}, 1, 1, 7);   /* goes */
    rich_add_heap(second, (const uint64_t[]){0x2300}, 1, 1, 11); /* comes */
    ph_profile_negate(first);
    struct ph_profile *delta = merge(second, first);
    assert_int_equal(delta->sample_count, 3);
    assert_int_equal(delta->location_count, 4); /* not that of the stack that stays */
    assert_int_equal(ph_profile_values(delta, 0)[PH_HEAP_INUSE_SPACE], 30);
    assert_int_equal(ph_profile_values(delta, 0)[PH_HEAP_INUSE_OBJECTS], 0);
    assert_int_equal(ph_profile_values(delta, 1)[PH_HEAP_INUSE_SPACE], 11);
    assert_int_equal(ph_profile_values(delta, 2)[PH_HEAP_INUSE_SPACE], -7);
    assert_int_equal(delta->locations[3].address, 0x2200);
    ph_profile_free(first);
    ph_profile_free(second);
    ph_profile_free(delta);
}

static void refuse(const struct ph_profile *a, const struct ph_profile *b, const char *text)
{
    const struct ph_profile *both[] = {a, a, b};
    struct ph_profile *merged = NULL;
    struct ph_error error = {0};
    assert_int_equal(ph_profile_merge(both, 3, &merged, &error), -EINVAL);
    assert_string_equal(error.text, text);
    assert_null(merged);
}

static void other_types_are_refused_and_both_named(void **state)
{
    struct ph_profile *a = ph_profile_new(), *b = ph_profile_new();
    ph_profile_add_type(a, "space", "bytes");
    ph_profile_add_type(b, "space", "kilobytes");
    refuse(a, b, "profile 1 counts space/bytes, but profile 3 counts space/kilobytes");
    ph_profile_add_type(a, "objects", "count");
    b->types[0].unit = ph_profile_string(b, "bytes");
    refuse(a, b, "profile 1 counts space/bytes objects/count, but profile 3 counts space/bytes");
    ph_profile_add_type(b, "objects", "count");
    b->period_type.type = ph_profile_string(b, "cpu");
    refuse(a, b,
           "profile 1 counts space/bytes objects/count, but profile 3 counts space/bytes objects/count per "
           "cpu/");
    ph_profile_free(a);
    ph_profile_free(b);
}

static void merging_one_by_one_gives_the_same(void **state)
{
    struct ph_profile *a = rich_heap(4096), *b = rich_heap(8192), *merged;
    rich_add_heap(a, (uint64_t[]){0x10, 0x20}, 2, 1, 100);
    rich_add_heap(b, (uint64_t[]){0x10, 0x20}, 2, 2, 200);
    rich_add_heap(b, (uint64_t[]){0x30}, 1, 3, 300);
    assert_int_equal(ph_profile_merge((const struct ph_profile *[]){a, b}, 2, &merged, NULL), 0);
    struct ph_merge *merge = ph_merge_new();
    assert_int_equal(ph_merge_add(merge, a, NULL, NULL, NULL), 0);
    assert_int_equal(ph_merge_add(merge, b, NULL, NULL, NULL), 0);
    assert_int_equal(ph_merge_profile(merge)->sample_count, 2);
    struct ph_profile *by_one = ph_merge_finish(merge);
    rich_expect_equal(merged, by_one);
    ph_profile_free(by_one);
    ph_profile_free(merged);
    ph_profile_free(a);
    ph_profile_free(b);
}

static const char *label_text(const struct ph_profile *profile, uint32_t sample, uint32_t label)
{
    return ph_profile_text(profile, profile->labels[profile->samples[sample].first_label + label].text);
}

static void a_label_for_each_profile_keeps_their_samples_apart(void **state)
{
    struct ph_profile *a = rich_heap(4096), *merged;
    struct ph_merge *merge = ph_merge_new();
    rich_add_heap(a, (uint64_t[]){0x10, 0x20}, 2, 1, 100);
    assert_int_equal(ph_merge_add(merge, a, "pid", "7", NULL), 0);
    assert_int_equal(ph_merge_add(merge, a, "pid", "8", NULL), 0);
    merged = ph_merge_finish(merge);
    assert_int_equal(merged->sample_count, 2);
    assert_string_equal(label_text(merged, 0, 0), "7");
    assert_string_equal(label_text(merged, 1, 0), "8");
    assert_int_equal(ph_profile_check(merged, NULL), 0);

    merge = ph_merge_new();
    assert_int_equal(ph_merge_add(merge, merged, "pid", "9", NULL), 0);
    struct ph_profile *again = ph_merge_finish(merge);
    rich_expect_equal(merged, again); /* has the label already */
    ph_profile_free(again);
    ph_profile_free(merged);
    ph_profile_free(a);
}

static void one_of_another_kind_is_refused_by_itself(void **state)
{
    struct ph_error error = {0, ""};
    struct ph_profile *heap = rich_heap(4096), *other = rich_profile();
    struct ph_merge *merge = ph_merge_new();
    rich_add_heap(heap, (uint64_t[]){0x10}, 1, 1, 100);
    assert_int_equal(ph_merge_add(merge, heap, NULL, NULL, &error), 0);
    assert_int_equal(ph_merge_add(merge, other, NULL, NULL, &error), -EINVAL);
    assert_int_equal(ph_merge_profile(merge)->sample_count, 1);
    ph_merge_free(merge);
    ph_merge_free(NULL);
    ph_profile_free(heap);
    ph_profile_free(other);
}

static void nothing_cannot_be_merged(void **state)
{
    struct ph_profile *merged = NULL;
    struct ph_error error = {0};
    assert_int_equal(ph_profile_merge(NULL, 0, &merged, &error), -EINVAL);
    assert_string_equal(error.text, "no profiles to merge");
}

static void a_profile_that_failed_does_not_merge(void **state)
{
    struct ph_profile *profile = rich_profile(), *merged = NULL;
    const struct ph_profile *alone = profile;
    profile->status = -ENOMEM;
    assert_int_equal(ph_profile_merge(&alone, 1, &merged, NULL), -ENOMEM);
    assert_null(merged);
    ph_profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_profile_merges_to_itself_without_its_zeros),
        cmocka_unit_test(load_addresses_do_not_matter),
        cmocka_unit_test(builds_decide_before_names),
        cmocka_unit_test(sizes_and_offsets_decide_too),
        cmocka_unit_test(functions_and_labels_merge_by_what_they_say),
        cmocka_unit_test(headers_are_joined),
        cmocka_unit_test(a_delta_is_the_second_and_the_first_negated),
        cmocka_unit_test(other_types_are_refused_and_both_named),
        cmocka_unit_test(merging_one_by_one_gives_the_same),
        cmocka_unit_test(a_label_for_each_profile_keeps_their_samples_apart),
        cmocka_unit_test(one_of_another_kind_is_refused_by_itself),
        cmocka_unit_test(nothing_cannot_be_merged),
        cmocka_unit_test(a_profile_that_failed_does_not_merge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
