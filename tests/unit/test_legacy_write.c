#include "model/heap_types.h"
#include "model/legacy_read.h"
#include "model/legacy_write.h"
#include "rich.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char *text_of(const struct ph_profile *profile, bool symbols)
{
    struct ph_buf out = PH_BUF_INIT;
    assert_int_equal(ph_legacy_write(profile, symbols, &out), 0);
    return ph_buf_take(&out, NULL);
}

static void expect_text(const struct ph_profile *profile, bool symbols, const char *wanted)
{
    char *text = text_of(profile, symbols);
    assert_string_equal(text, wanted);
    free(text);
}

static struct ph_profile *read_back(const struct ph_profile *profile, bool symbols)
{
    struct ph_profile *again = NULL;
    char *text = text_of(profile, symbols);
    assert_int_equal(ph_legacy_read(text, strlen(text), &again, NULL), 0);
    free(text);
    return again;
}

static void an_empty_heap_has_only_its_header(void **state)
{
    struct ph_profile *profile = rich_heap(524288);
    expect_text(profile, true, "heap profile: 0: 0 [0: 0] @ heap_v2/524288\n");
    profile->period = 0;
    expect_text(profile, false, "heap profile: 0: 0 [0: 0] @ heap_v2/1\n");
    ph_profile_free(profile);
}

static void samples_come_largest_first_with_return_addresses(void **state)
{
    struct ph_profile *profile = rich_heap(1);
    rich_add_heap(profile, (const uint64_t[]){0x10}, 1, 1, 10);
    rich_add_heap(profile, (const uint64_t[]){0xabcdef, 0}, 2, 2, 30);
    rich_add_heap(profile, NULL, 0, 3, 20);
    rich_add_heap(profile, (const uint64_t[]){0x20}, 1, 4, 20);
    expect_text(profile, true,
                "heap profile: 10: 80 [20: 160] @ heap_v2/1\n"
                "2: 30 [4: 60] @ 0xabcdf0 0x1\n#\t0xabcdef\t?\n#\t0x0\t?\n"
                "3: 20 [6: 40] @\n"
                "4: 20 [8: 40] @ 0x21\n#\t0x20\t?\n"
                "1: 10 [2: 20] @ 0x11\n#\t0x10\t?\n");
    ph_profile_free(profile);
}

static void add_labelled(struct ph_profile *profile, uint64_t address, const char *tenant, int64_t objects,
                         int64_t bytes)
{
    uint32_t frame = ph_profile_add_location(profile, 0, address, false, NULL, 0);
    struct ph_label label = {.key = ph_profile_string(profile, "tenant"),
                             .text = ph_profile_string(profile, tenant)};
    ph_profile_add_sample(profile, &frame, 1, &label, 1, (const int64_t[]){2 * objects, 2 * bytes, objects, bytes});
}

static void stacks_that_differ_by_labels_only_are_one(void **state)
{
    struct ph_profile *profile = rich_heap(1);
    rich_add_heap(profile, (const uint64_t[]){0x10}, 1, 1, 10);
    rich_add_heap(profile, (const uint64_t[]){0x20}, 1, 4, 40);
    add_labelled(profile, 0x10, "a", 2, 20);
    add_labelled(profile, 0x10, "b", 3, 30);
    expect_text(profile, false,
                "heap profile: 10: 100 [20: 200] @ heap_v2/1\n6: 60 [12: 120] @ 0x11\n4: 40 [8: 80] @ 0x21\n");
    ph_profile_free(profile);
}

static void bytes_without_objects_are_written_as_one(void **state)
{
    struct ph_profile *profile = rich_heap(1024);
    rich_add_heap(profile, (const uint64_t[]){0x10}, 1, 0, 77);
    expect_text(profile, false, "heap profile: 1: 77 [1: 154] @ heap_v2/1024\n1: 77 [1: 154] @ 0x11\n");
    ph_profile_free(profile);
}

static struct ph_profile *with_symbols(void)
{
    struct ph_profile *profile = rich_heap(1);
    struct ph_mapping mapping = {
        .start = 0x1000, .limit = 0x3000, .offset = 0x400, .file = ph_profile_string(profile, "/bin/a b\nc")};
    ph_profile_add_mapping(profile, &mapping);
    const struct ph_line inlined[] = {
        {.function = rich_function(profile, "_Z5parsePKc", "parse.cc"), .line = 12},
        {.function = rich_function(profile, "tab\there", ""), .line = 5},
    };
    const uint32_t frames[] = {
        ph_profile_add_location(profile, 1, 0x1234, false, inlined, 2),
        ph_profile_add_location(profile, 1, 0x2345, false, NULL, 0),
    };
    ph_profile_add_sample(profile, frames, 2, NULL, 0, (const int64_t[]){1, 2, 3, 4});
    return profile;
}

static void symbols_are_for_people(void **state)
{
    struct ph_profile *profile = with_symbols();
    expect_text(profile, true,
                "heap profile: 3: 4 [1: 2] @ heap_v2/1\n"
                "3: 4 [1: 2] @ 0x1235 0x2346\n"
                "#\t0x1234\tparse(char const*)\tparse.cc:12\n"
                "#\t0x1234\ttab here\n"
                "#\t0x2345\t?\t/bin/a b c+0x1745\n"
                "\nMAPPED_LIBRARIES:\n00001000-00003000 r-xp 00000400 00:00 0 /bin/a b c\n");
    expect_text(profile, false,
                "heap profile: 3: 4 [1: 2] @ heap_v2/1\n"
                "3: 4 [1: 2] @ 0x1235 0x2346\n"
                "\nMAPPED_LIBRARIES:\n00001000-00003000 r-xp 00000400 00:00 0 /bin/a b c\n");
    ph_profile_free(profile);
}

static void symbols_and_maps_are_read_back(void **state)
{
    struct ph_profile *profile = with_symbols();
    struct ph_profile *again = read_back(profile, true);
    assert_int_equal(again->mapping_count, 1);
    assert_int_equal(again->mappings[0].offset, 0x400);
    assert_int_equal(again->locations[0].address, 0x1234);
    assert_int_equal(again->locations[0].mapping, 1);
    assert_int_equal(again->locations[0].line_count, 2);
    assert_int_equal(again->locations[1].line_count, 0);
    assert_string_equal(ph_profile_text(again, again->functions[0].name), "parse(char const*)");
    ph_profile_free(profile);
    ph_profile_free(again);
}

static int64_t distance(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

/* Half a counted object stands for: its factor, and so many mean sizes. */
static void values_survive_within_rounding(void **state)
{
    static const int64_t rows[][2] = {
        {1, 8},          {1, 524288},       {2, 3},           {1000, 64000},      {123456, 123456 * 48},
        {7, 7 * 100000}, {3, 3 * 52428800}, {50000, 1 << 30}, {-5, -5 * 1048576}, {1 << 20, INT64_C(1) << 40},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ph_profile *profile = rich_heap(524288);
        rich_add_heap(profile, (const uint64_t[]){0x10}, 1, rows[i][0], rows[i][1]);
        struct ph_profile *again = read_back(profile, false);
        const int64_t *values = ph_profile_values(profile, 0), *read = ph_profile_values(again, 0);
        double mean = (double)rows[i][1] / (double)rows[i][0];
        int64_t step = 1 + (int64_t)(524288 / mean) + 1; /* the factor, at most */
        for (int type = 0; type < PH_HEAP_TYPE_COUNT; type += 2) {
            assert_true(distance(values[type], read[type]) <= step);
            assert_true(distance(values[type + 1], read[type + 1]) <= step * (1 + (int64_t)mean));
        }
        ph_profile_free(profile);
        ph_profile_free(again);
    }
}

static void large_objects_survive_exactly(void **state)
{
    struct ph_profile *profile = rich_heap(524288);
    rich_add_heap(profile, (const uint64_t[]){0x10}, 1, 100, 100 * (INT64_C(8) << 20));
    struct ph_profile *again = read_back(profile, false);
    assert_memory_equal(ph_profile_values(profile, 0), ph_profile_values(again, 0), 32);
    ph_profile_free(profile);
    ph_profile_free(again);
}

static void what_is_no_heap_profile_is_refused(void **state)
{
    struct ph_buf out = PH_BUF_INIT;
    struct ph_profile *profile = rich_profile();
    assert_int_equal(ph_legacy_write(profile, true, &out), -EINVAL);
    assert_int_equal(out.size_bytes, 0);
    ph_profile_free(profile);
    ph_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_heap_has_only_its_header),
        cmocka_unit_test(samples_come_largest_first_with_return_addresses),
        cmocka_unit_test(stacks_that_differ_by_labels_only_are_one),
        cmocka_unit_test(bytes_without_objects_are_written_as_one),
        cmocka_unit_test(symbols_are_for_people),
        cmocka_unit_test(symbols_and_maps_are_read_back),
        cmocka_unit_test(values_survive_within_rounding),
        cmocka_unit_test(large_objects_survive_exactly),
        cmocka_unit_test(what_is_no_heap_profile_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
