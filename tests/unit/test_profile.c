#include "model/profile.h"
#include "rich.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

static void a_new_profile_has_only_the_empty_string(void **state)
{
    struct ph_profile *profile = ph_profile_new();
    assert_int_equal(profile->string_count, 1);
    assert_string_equal(ph_profile_text(profile, 0), "");
    assert_int_equal(ph_profile_string(profile, ""), 0);
    assert_int_equal(profile->type_count + profile->sample_count + profile->location_count, 0);
    assert_int_equal(ph_profile_status(profile), 0);
    ph_profile_free(profile);
    ph_profile_free(NULL);
}

static void equal_strings_have_one_number(void **state)
{
    struct ph_profile *profile = ph_profile_new();
    char text[] = "name";
    uint32_t number = ph_profile_string(profile, text);
    text[0] = 'X'; /* it is a copy */
    assert_int_equal(ph_profile_string_n(profile, "names", 4), number);
    assert_int_not_equal(ph_profile_string(profile, "names"), number);
    assert_string_equal(ph_profile_text(profile, number), "name");
    assert_int_equal(profile->strings[number].size_bytes, 4);
    ph_profile_free(profile);
}

static void strings_become_utf8_without_nul(void **state)
{
    static const struct {
        const char *bytes;
        size_t size_bytes;
        const char *text;
    } rows[] = {
        {"\xc3\xa4\xf0\x9f\x98\x80", 6, "\xc3\xa4\xf0\x9f\x98\x80"},
        {"a\xff"
         "b",
         3,
         "a\xef\xbf\xbd"
         "b"},
        {"a\0b", 3,
         "a\xef\xbf\xbd"
         "b"},
        {"\xe2\x82", 2, "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xff\xff\xff\xff", 4, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    };
    struct ph_profile *profile = ph_profile_new();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t number = ph_profile_string_n(profile, rows[i].bytes, rows[i].size_bytes);
        assert_string_equal(ph_profile_text(profile, number), rows[i].text);
        assert_int_equal(profile->strings[number].size_bytes, strlen(rows[i].text));
    }
    ph_profile_free(profile);
}

static void sample_types_are_found_by_name_and_limited(void **state)
{
    struct ph_profile *profile = ph_profile_new();
    char name[] = "a";
    for (uint32_t i = 0; i < PH_PROFILE_TYPES_MAX; i++, name[0]++)
        assert_int_equal(ph_profile_add_type(profile, name, "bytes"), i);
    assert_int_equal(ph_profile_find_type(profile, "c"), 2);
    assert_int_equal(ph_profile_find_type(profile, "bytes"), -1);
    assert_int_equal(ph_profile_status(profile), 0);
    assert_int_equal(ph_profile_add_type(profile, "one more", "bytes"), PH_PROFILE_TYPES_MAX);
    assert_int_equal(ph_profile_status(profile), -EOVERFLOW);
    ph_profile_free(profile);
}

static void no_type_is_added_behind_samples(void **state)
{
    struct ph_profile *profile = ph_profile_new();
    int64_t value = 1;
    ph_profile_add_type(profile, "space", "bytes");
    ph_profile_add_sample(profile, NULL, 0, NULL, 0, &value);
    assert_int_equal(ph_profile_add_type(profile, "objects", "count"), PH_PROFILE_TYPES_MAX);
    assert_int_equal(ph_profile_status(profile), -EOVERFLOW);
    assert_int_equal(profile->type_count, 1);
    ph_profile_free(profile);
}

static void functions_differ_by_each_of_their_fields(void **state)
{
    struct ph_profile *profile = ph_profile_new();
    uint32_t a = ph_profile_string(profile, "a"), b = ph_profile_string(profile, "b");
    const struct ph_function functions[] = {{a, a, a, 1}, {b, a, a, 1}, {a, b, a, 1}, {a, a, b, 1}, {a, a, a, 2}};
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(ph_profile_add_function(profile, &functions[i]), i + 1);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(ph_profile_add_function(profile, &functions[i]), i + 1);
    ph_profile_free(profile);
}

static void locations_differ_by_each_of_their_fields(void **state)
{
    struct ph_profile *profile = ph_profile_new();
    uint32_t f = rich_function(profile, "f", ""), g = rich_function(profile, "g", "");
    const struct ph_line lines[][2] = {{{f, 1, 1}, {g, 0, 0}},
                                       {{g, 1, 1}, {g, 0, 0}},
                                       {{f, 2, 1}, {g, 0, 0}},
                                       {{f, 1, 2}, {g, 0, 0}},
                                       {{f, 1, 1}, {f, 0, 0}}};
    for (int round = 0; round < 2; round++) {
        uint32_t number = 1;
        for (size_t i = 0; i < 5; i++)
            assert_int_equal(ph_profile_add_location(profile, 1, 2, false, lines[i], 2), number++);
        assert_int_equal(ph_profile_add_location(profile, 1, 2, false, lines[0], 1), number++);
        assert_int_equal(ph_profile_add_location(profile, 1, 2, false, NULL, 0), number++);
        assert_int_equal(ph_profile_add_location(profile, 2, 2, false, NULL, 0), number++);
        assert_int_equal(ph_profile_add_location(profile, 1, 3, false, NULL, 0), number++);
        assert_int_equal(ph_profile_add_location(profile, 1, 2, true, NULL, 0), number++);
    }
    assert_int_equal(profile->location_count, 10);
    ph_profile_free(profile);
}

static void a_location_that_got_names_is_found_as_it_was_added(void **state)
{
    struct ph_profile *profile = ph_profile_new();
    struct ph_line line = {.function = rich_function(profile, "f", ""), .line = 7};
    struct ph_line other = {.function = rich_function(profile, "g", ""), .line = 8};
    uint32_t location = ph_profile_add_location(profile, 0, 0x10, false, NULL, 0);
    assert_int_equal(ph_profile_set_lines(profile, location, &line, 1), 0);
    assert_int_equal(ph_profile_add_location(profile, 0, 0x10, false, NULL, 0), location);
    assert_int_equal(ph_profile_set_lines(profile, location, &other, 1), 0);
    assert_int_equal(ph_profile_location(profile, location)->line_count, 1);
    assert_int_equal(profile->lines[ph_profile_location(profile, location)->first_line].line, 7);
    ph_profile_free(profile);
}

static void equal_stacks_are_one_sample(void **state)
{
    struct ph_profile *profile = ph_profile_new();
    ph_profile_add_type(profile, "objects", "count");
    ph_profile_add_type(profile, "space", "bytes");
    uint32_t frames[] = {rich_named(profile, "leaf"), rich_named(profile, "main")};
    uint32_t other[] = {frames[1], frames[0]};
    const int64_t values[] = {1, 100};
    assert_int_equal(ph_profile_add_sample(profile, frames, 2, NULL, 0, values), 0);
    assert_int_equal(ph_profile_add_sample(profile, frames, 2, NULL, 0, values), 0);
    assert_int_equal(ph_profile_add_sample(profile, other, 2, NULL, 0, values), 1);
    assert_int_equal(ph_profile_add_sample(profile, frames, 1, NULL, 0, values), 2);
    assert_int_equal(ph_profile_add_sample(profile, NULL, 0, NULL, 0, values), 3);
    assert_int_equal(ph_profile_add_sample(profile, NULL, 0, NULL, 0, values), 3);
    assert_int_equal(ph_profile_values(profile, 0)[0], 2);
    assert_int_equal(ph_profile_values(profile, 0)[1], 200);
    assert_int_equal(ph_profile_total(profile, 0), 6);
    assert_int_equal(ph_profile_total(profile, 1), 600);
    ph_profile_free(profile);
}

static void labels_tell_equal_stacks_apart(void **state)
{
    struct ph_profile *profile = ph_profile_new();
    ph_profile_add_type(profile, "objects", "count");
    uint32_t a = ph_profile_string(profile, "a"), b = ph_profile_string(profile, "b");
    const struct ph_label labels[] = {{a, a, 0, 0}, {b, a, 0, 0}, {a, b, 0, 0},
                                      {a, 0, 1, a}, {a, 0, 2, a}, {a, 0, 1, b}};
    const int64_t value = 1;
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 6; i++)
            assert_int_equal(ph_profile_add_sample(profile, NULL, 0, &labels[i], 1, &value), i);
        assert_int_equal(ph_profile_add_sample(profile, NULL, 0, labels, 2, &value), 6);
    }
    ph_profile_free(profile);
}

static void sums_are_held_at_the_ends(void **state)
{
    struct ph_profile *profile = ph_profile_new();
    ph_profile_add_type(profile, "high", "count");
    ph_profile_add_type(profile, "low", "count");
    const int64_t values[] = {INT64_MAX, INT64_MIN};
    for (int i = 0; i < 3; i++)
        ph_profile_add_sample(profile, NULL, 0, NULL, 0, values);
    uint32_t frame = rich_named(profile, "other");
    ph_profile_add_sample(profile, &frame, 1, NULL, 0, values);
    assert_true(ph_profile_values(profile, 0)[0] == INT64_MAX && ph_profile_values(profile, 0)[1] == INT64_MIN);
    assert_true(ph_profile_total(profile, 0) == INT64_MAX && ph_profile_total(profile, 1) == INT64_MIN);
    ph_profile_free(profile);
}

static void after_a_failure_nothing_is_added(void **state)
{
    struct ph_profile *profile = rich_profile();
    uint32_t strings = profile->string_count, samples = profile->sample_count, locations = profile->location_count;
    const int64_t values[2] = {1, 1};
    const struct ph_function function = {.name = 1};
    const struct ph_mapping mapping = {.limit = 1};
    profile->status = -ENOMEM;
    assert_int_equal(ph_profile_string(profile, "new"), 0);
    assert_int_equal(ph_profile_add_function(profile, &function), 0);
    assert_int_equal(ph_profile_add_mapping(profile, &mapping), 0);
    assert_int_equal(ph_profile_add_location(profile, 0, 77, false, NULL, 0), 0);
    assert_int_equal(ph_profile_set_lines(profile, 3, profile->lines, 1), -ENOMEM);
    assert_int_equal(ph_profile_add_sample(profile, NULL, 0, NULL, 0, values), PH_INDEX_NONE);
    ph_profile_add_comment(profile, "lost");
    assert_int_equal(profile->comment_count, 2);
    assert_int_equal(profile->string_count, strings);
    assert_int_equal(profile->sample_count, samples);
    assert_int_equal(profile->location_count, locations);
    assert_int_equal(ph_profile_status(profile), -ENOMEM);
    ph_profile_free(profile);
}

static void large_profiles_keep_their_numbers(void **state)
{
    enum { COUNT = 20000 };
    struct ph_profile *profile = ph_profile_new();
    ph_profile_add_type(profile, "space", "bytes");
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < COUNT; i++) {
            uint32_t frames[] = {ph_profile_add_location(profile, 0, UINT64_C(16) * i, false, NULL, 0), 1};
            int64_t value = i;
            assert_int_equal(frames[0], i + 1);
            assert_int_equal(ph_profile_add_sample(profile, frames, 2, NULL, 0, &value), i);
        }
    }
    assert_int_equal(ph_profile_values(profile, COUNT - 1)[0], 2 * (COUNT - 1));
    assert_int_equal(profile->frames[profile->samples[COUNT - 1].first_frame], COUNT);
    ph_profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_profile_has_only_the_empty_string),
        cmocka_unit_test(equal_strings_have_one_number),
        cmocka_unit_test(strings_become_utf8_without_nul),
        cmocka_unit_test(sample_types_are_found_by_name_and_limited),
        cmocka_unit_test(no_type_is_added_behind_samples),
        cmocka_unit_test(functions_differ_by_each_of_their_fields),
        cmocka_unit_test(locations_differ_by_each_of_their_fields),
        cmocka_unit_test(a_location_that_got_names_is_found_as_it_was_added),
        cmocka_unit_test(equal_stacks_are_one_sample),
        cmocka_unit_test(labels_tell_equal_stacks_apart),
        cmocka_unit_test(sums_are_held_at_the_ends),
        cmocka_unit_test(after_a_failure_nothing_is_added),
        cmocka_unit_test(large_profiles_keep_their_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
