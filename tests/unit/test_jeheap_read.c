#include "base/buf.h"
#include "base/mark.h"
#include "hostile.h"
#include "model/check.h"
#include "model/heap_types.h"
#include "model/jeheap_read.h"
#include "rich.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAPS                                                                                                       \
    "\nMAPPED_LIBRARIES:\n"                                                                                        \
    "00001000-00002000 r--p 00000000 fe:00 7    /usr/bin/server\n"                                                 \
    "00002000-00003000 r-xp 00001000 fe:00 7    /usr/bin/server\n"                                                 \
    "00003000-00004000 rw-p 00000000 00:00 0 \n"                                                                   \
    "00100000-00200000 r-xp 00003000 fe:00 8    /lib/a b.so (deleted)\n"                                           \
    "7ffff000-80000000 r-xp 00000000 00:00 0    [vdso]\n"

static struct ph_profile *read_text(const char *text, const struct ph_jeheap_options *options)
{
    struct ph_profile *profile = ph_profile_new();
    struct ph_error error = {0};
    if (ph_jeheap_read(profile, text, strlen(text), options, &error) < 0)
        fail_msg("%s", error.text);
    assert_int_equal(ph_profile_check(profile, &error), 0);
    return profile;
}

static int parse(const char *bytes, size_t size_bytes, struct ph_error *error)
{
    struct ph_profile *profile = ph_profile_new();
    int status = ph_jeheap_read(profile, bytes, size_bytes, NULL, error);
    if (status == 0)
        assert_int_equal(ph_profile_check(profile, NULL), 0);
    ph_profile_free(profile);
    return status;
}

static void refuse(const char *text, const char *error_text)
{
    hostile_refuse(parse, text, strlen(text), -EINVAL, error_text);
}

static void expect_values(const struct ph_profile *profile, uint32_t sample, int64_t alloc_objects,
                          int64_t alloc_space, int64_t inuse_objects, int64_t inuse_space)
{
    const int64_t *values = ph_profile_values(profile, sample);
    assert_true(sample < profile->sample_count);
    assert_true(values[PH_HEAP_ALLOC_OBJECTS] == alloc_objects && values[PH_HEAP_ALLOC_SPACE] == alloc_space);
    assert_true(values[PH_HEAP_INUSE_OBJECTS] == inuse_objects && values[PH_HEAP_INUSE_SPACE] == inuse_space);
}

static uint64_t frame_address(const struct ph_profile *profile, uint32_t sample, uint32_t frame)
{
    return ph_profile_location(profile, profile->frames[profile->samples[sample].first_frame + frame])->address;
}

static void only_its_magic_makes_a_dump(void **state)
{
    assert_true(ph_jeheap_is("heap_v2/1", 9));
    assert_false(ph_jeheap_is("heap_v2", 7));
    assert_false(ph_jeheap_is("heap_v2/1", 7));
    assert_false(ph_jeheap_is("heap profile:", 13));
    assert_false(ph_jeheap_is(NULL, 0));
}

static void stacks_become_samples_with_calls_not_returns(void **state)
{
    struct ph_profile *profile = read_text("heap_v2/1\n  t*: 3: 30 [5: 50]\n  t0: 3: 30 [5: 50]\n"
                                           "@ 0x2001 0x2101 0x2001\n  t*: 1: 10 [2: 20]\n  t0: 1: 10 [2: 20]\n"
                                           "@ 0x2101\n  t*: 2: 20 [3: 30]\n  t0: 2: 20 [3: 30]\n" MAPS,
                                           NULL);
    assert_int_equal(profile->sample_count, 2);
    assert_int_equal(profile->samples[0].frame_count, 3);
    assert_int_equal(frame_address(profile, 0, 0), 0x2000);
    assert_int_equal(frame_address(profile, 0, 1), 0x2100);
    assert_int_equal(frame_address(profile, 0, 2), 0x2000);
    expect_values(profile, 0, 2, 20, 1, 10);
    expect_values(profile, 1, 3, 30, 2, 20);
    assert_true(ph_heap_types_has(profile));
    assert_int_equal(profile->period, 1);
    assert_string_equal(ph_profile_text(profile, profile->default_type), "inuse_space");
    assert_int_equal(profile->time_ns, 0);
    ph_profile_free(profile);
}

/* By hand: objects of 1024 bytes at a rate of 1024 are seen with probability 1 - 1/e, and 1 / (1 - 1/e) = 1.58198;
 * of 4096 bytes with 1 - exp(-4): 1.01866. */
static void values_are_unbiased_for_each_stack(void **state)
{
    struct ph_profile *profile = read_text("heap_v2/1024\n  t*: 13: 22528 [110: 112640]\n"
                                           "@ 0x10\n  t*: 10: 10240 [100: 102400]\n"
                                           "@ 0x20\n  t*: 3: 12288 [10: 10240]\n"
                                           "@ 0x30\n  t*: 1: 4096 [1: 1024]\n",
                                           NULL);
    expect_values(profile, 0, 158, 161994, 16, 16199);
    expect_values(profile, 1, 16, 16199, 3, 12517);
    expect_values(profile, 2, 2, 1620, 1, 4172);
    ph_profile_free(profile);
}

static void mappings_are_the_executable_ones_main_first(void **state)
{
    struct ph_profile *profile = read_text("heap_v2/1\n  t*: 1: 1 [0: 0]\n"
                                           "@ 0x2801 0x100001 0x80000000 0x3000 0x3001\n  t*: 1: 1 [0: 0]\n" MAPS,
                                           NULL);
    static const uint32_t wanted[] = {1, 2, 3, 1, 0};
    assert_int_equal(profile->mapping_count, 3);
    assert_string_equal(ph_profile_text(profile, profile->mappings[0].file), "/usr/bin/server");
    assert_int_equal(profile->mappings[0].start, 0x2000);
    assert_int_equal(profile->mappings[0].limit, 0x3000);
    assert_int_equal(profile->mappings[0].offset, 0x1000);
    assert_string_equal(ph_profile_text(profile, profile->mappings[1].file), "/lib/a b.so");
    assert_string_equal(ph_profile_text(profile, profile->mappings[2].file), "[vdso]");
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(ph_profile_location(profile, profile->frames[i])->mapping, wanted[i]);
    ph_profile_free(profile);
}

static void the_main_binary_comes_first_even_above_its_libraries(void **state)
{
    struct ph_profile *profile =
        read_text("heap_v2/1\n  t*: 0: 0 [0: 0]\n\nMAPPED_LIBRARIES:\n"
                  "1000-2000 r--p 00000000 fe:00 7 /bin/main\n2000-3000 r-xp 00000000 fe:00 8 /lib/x.so\n"
                  "not a mapping\n3000-4000 r-xp 00001000 fe:00 7 /bin/main\n",
                  NULL);
    assert_int_equal(profile->mapping_count, 2);
    assert_string_equal(ph_profile_text(profile, profile->mappings[0].file), "/bin/main");
    ph_profile_free(profile);
}

static void mappings_that_are_known_win(void **state)
{
    static const char text[] = "heap_v2/1\n  t*: 1: 1 [0: 0]\n@ 0x2801\n  t*: 1: 1 [0: 0]\n" MAPS;
    struct ph_profile *profile = ph_profile_new();
    struct ph_mapping known = {.start = 0x2800, .limit = 0x2900, .file = ph_profile_string(profile, "known")};
    ph_profile_add_mapping(profile, &known);
    assert_int_equal(ph_jeheap_read(profile, text, sizeof(text) - 1, NULL, NULL), 0);
    assert_int_equal(profile->mapping_count, 1);
    assert_int_equal(ph_profile_location(profile, profile->frames[0])->mapping, 1);
    ph_profile_free(profile);
}

static void a_dump_without_maps_is_read(void **state)
{
    struct ph_profile *profile =
        read_text("heap_v2/524288\n  t*: 1: 1048576 [0: 0]\n@ 0x10 0x20\n  t*: 1: 1048576 [0: 0]\n", NULL);
    assert_int_equal(profile->mapping_count, 0);
    assert_int_equal(profile->sample_count, 1);
    expect_values(profile, 0, 0, 0, 1, 1212697);
    ph_profile_free(profile);
    profile = read_text("heap_v2/524288\n  t*: 0: 0 [0: 0]\n", NULL);
    assert_int_equal(profile->sample_count, 0);
    ph_profile_free(profile);
}

static void threads_may_be_called_anything(void **state)
{
    struct ph_profile *profile = read_text(
        "heap_v2/1\n  t*: 2: 2 [0: 0]\n  t0: 1: 1 [0: 0] io: worker @ 1\n  t1: 1: 1 [0: 0] MAPPED_LIBRARIES:\n"
        "@ 0x10\n  t*: 1: 1 [0: 0]\n  t0: 1: 1 [0: 0] t*: 9: 9 [9: 9]\n"
        "@ 0x20\n  t*: 1: 1 [0: 0]\n  t1: 1: 1 [0: 0] \n" MAPS,
        NULL);
    assert_int_equal(profile->sample_count, 2);
    assert_int_equal(profile->mapping_count, 3);
    assert_int_equal(ph_profile_total(profile, PH_HEAP_INUSE_SPACE), 2);
    ph_profile_free(profile);
}

static void bytes_without_objects_are_kept(void **state)
{
    struct ph_profile *profile = read_text("heap_v2/1024\n  t*: 0: 77 [0: 0]\n@ 0x10\n  t*: 0: 77 [5: 0]\n", NULL);
    expect_values(profile, 0, 5, 0, 0, 77);
    ph_profile_free(profile);
}

static void counts_beyond_int64_stop_at_its_end(void **state)
{
    struct ph_profile *profile =
        read_text("heap_v2/1\n  t*: 1: 1 [1: 1]\n"
                  "@ 0x10\n  t*: 18446744073709551615: 18446744073709551615 [9223372036854775807: 1]\n",
                  NULL);
    expect_values(profile, 0, INT64_MAX, 1, INT64_MAX, INT64_MAX);
    ph_profile_free(profile);
    refuse("heap_v2/1\n  t*: 18446744073709551616: 1 [0: 0]\n",
           "line 2, column 7: expected a count of at most 64 bits");
}

static void an_empty_stack_is_a_stack(void **state)
{
    struct ph_profile *profile = read_text("heap_v2/1\n  t*: 1: 1 [0: 0]\n@\n  t*: 1: 1 [0: 0]\n", NULL);
    assert_int_equal(profile->sample_count, 1);
    assert_int_equal(profile->samples[0].frame_count, 0);
    ph_profile_free(profile);
}

struct asked {
    unsigned count;
    uint64_t dropped;
};

static enum ph_frame_rule drop_one(void *context, uint64_t address, uint32_t mapping)
{
    struct asked *asked = context;
    asked->count++;
    assert_int_equal(mapping, address == 0x2800 ? 1 : 0);
    return address == asked->dropped ? PH_FRAME_DROP : PH_FRAME_KEEP;
}

static void stacks_that_differ_only_in_dropped_frames_are_one(void **state)
{
    struct asked asked = {0, 0xf};
    struct ph_jeheap_options options = {.rule = drop_one, .context = &asked};
    struct ph_profile *profile = read_text("heap_v2/1\n  t*: 6: 60 [0: 0]\n"
                                           "@ 0x10 0x2801 0x30\n  t*: 1: 10 [0: 0]\n"
                                           "@ 0x2801 0x30\n  t*: 2: 20 [0: 0]\n"
                                           "@ 0x2801 0x10 0x10 0x30\n  t*: 3: 30 [0: 0]\n"
                                           "@ 0x10\n  t*: 1: 5 [0: 0]\n" MAPS,
                                           &options);
    assert_int_equal(profile->sample_count, 2);
    expect_values(profile, 0, 0, 0, 6, 60);
    expect_values(profile, 1, 0, 0, 1, 5);
    assert_int_equal(profile->samples[0].frame_count, 2);
    assert_int_equal(profile->samples[1].frame_count, 0);
    assert_int_equal(asked.count, 3); /* once for each address */
    ph_profile_free(profile);
}

static struct ph_profile *labelled; /* that label_marks() works on */

/* "origin" and the payload of each mark. */
static uint32_t label_marks(void *context, const uint64_t *marks, uint32_t mark_count, struct ph_label *ret_labels)
{
    ++*(unsigned *)context;
    for (uint32_t i = 0; i < mark_count; i++)
        ret_labels[i] = (struct ph_label){.key = ph_profile_string(labelled, "origin"),
                                          .number = (int64_t)ph_mark_payload(marks[i])};
    return mark_count;
}

static const char marked_dump[] = "heap_v2/1\n  t*: 6: 60 [6: 60]\n"
                                  "@ 0x2001 0x2101\n  t*: 1: 10 [1: 10]\n"
                                  "@ 0x2001 0x2101 0xfe01000000000007\n  t*: 2: 20 [2: 20]\n"
                                  "@ 0x2001 0x2101 0xfe01000000000009\n  t*: 3: 30 [3: 30]\n" MAPS;

static void marks_become_labels_that_keep_stacks_apart(void **state)
{
    unsigned asked = 0;
    struct ph_jeheap_options options = {.labels = label_marks, .context = &asked};
    labelled = ph_profile_new();
    assert_int_equal(ph_jeheap_read(labelled, marked_dump, strlen(marked_dump), &options, NULL), 0);
    assert_int_equal(asked, 3);
    assert_int_equal(labelled->sample_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(labelled->samples[i].frame_count, 2);
        assert_int_equal(labelled->samples[i].label_count, i > 0);
        expect_values(labelled, i, i + 1, 10 * (i + 1), i + 1, 10 * (i + 1));
    }
    assert_int_equal(labelled->labels[labelled->samples[1].first_label].number, 7);
    assert_int_equal(labelled->labels[labelled->samples[2].first_label].number, 9);
    assert_int_equal(ph_profile_check(labelled, NULL), 0);
    ph_profile_free(labelled);
}

static void marks_nobody_asks_for_are_dropped(void **state)
{
    struct ph_profile *profile = read_text(marked_dump, NULL);
    assert_int_equal(profile->sample_count, 1);
    assert_int_equal(profile->samples[0].frame_count, 2);
    expect_values(profile, 0, 6, 60, 6, 60);
    ph_profile_free(profile);
}

static void more_marks_than_there_is_room_for_are_dropped(void **state)
{
    unsigned asked = 0;
    struct ph_jeheap_options options = {.labels = label_marks, .context = &asked};
    static const char text[] =
        "heap_v2/1\n  t*: 1: 10 [1: 10]\n"
        "@ 0x2001 0xfe01000000000001 0xfe01000000000002 0xfe01000000000003 0xfe01000000000004 "
        "0xfe01000000000005 0xfe02000000000006\n  t*: 1: 10 [1: 10]\n" MAPS;
    labelled = ph_profile_new();
    assert_int_equal(ph_jeheap_read(labelled, text, strlen(text), &options, NULL), 0);
    assert_int_equal(labelled->samples[0].frame_count, 1);
    assert_int_equal(labelled->samples[0].label_count, PH_JEHEAP_MARKS_MAX);
    ph_profile_free(labelled);
}

static void many_addresses_are_told_apart(void **state)
{
    enum { COUNT = 10000 };
    struct ph_buf text = PH_BUF_INIT;
    ph_buf_text(&text, "heap_v2/1\n  t*: 1: 1 [0: 0]\n");
    for (int i = 0; i < COUNT; i++)
        ph_buf_printf(&text, "@ 0x%x 0x%x\n  t*: 1: %d [0: 0]\n", 0x1001 + i * 4096, 0x1001 + i / 2 * 4096, i);
    struct ph_profile *profile = read_text(text.data, NULL);
    assert_int_equal(profile->sample_count, COUNT);
    assert_int_equal(profile->location_count, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(frame_address(profile, i, 0), 0x1000 + i * 4096);
        assert_int_equal(frame_address(profile, i, 1), 0x1000 + i / 2 * 4096);
    }
    ph_profile_free(profile);
    ph_buf_fini(&text);
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
    refuse("", "line 1, column 1: expected \"heap_v2/\", but the text ends here");
    refuse("heap_v2/x\n", "line 1, column 9: expected the sample rate in bytes");
    refuse("heap_v2/1\nt*: 1: 1 [0: 0]\n", "line 2, column 1: expected \"  t*: \" and counts");
    refuse("heap_v2/1\n  t*: 1: 1 [0: 0\n", "line 2, column 17: expected \"]\"");
    refuse("heap_v2/1\n  t*: 1 1 [0: 0]\n", "line 2, column 8: expected counts as in \"1: 2 [3: 4]\"");
    refuse("heap_v2/1\n  t*: -1: 1 [0: 0]\n", "line 2, column 7: expected a count of at most 64 bits");
    refuse("heap_v2/1\n  t*: 0: 0 [0: 0]\n@ 0xg\n",
           "line 3, column 5: expected an address (0x and at most 16 hex digits)");
    refuse("heap_v2/1\n  t*: 0: 0 [0: 0]\n@ 0x12345678123456781\n",
           "line 3, column 5: expected an address (0x and at most 16 hex digits)");
    refuse("heap_v2/1\n  t*: 0: 0 [0: 0]\n@ 0x1 junk\n",
           "line 3, column 7: expected an address (0x and at most 16 hex digits)");
    refuse("heap_v2/1\n  t*: 0: 0 [0: 0]\njunk\n",
           "line 3, column 1: expected \"@\", a thread line or \"MAPPED_LIBRARIES:\"");
    refuse("heap_v2/1\n  t*: 0: 0 [0: 0]\n@ 0x1",
           "line 3, column 6: expected a blank and an address, or the end of the line, but the text ends here");
}

static void what_jemalloc_writes_is_read(void **state)
{
    size_t size_bytes;
    char *text = hostile_read_golden("jemalloc.heap", &size_bytes);
    struct ph_profile *profile = ph_profile_new();
    assert_true(ph_jeheap_is(text, size_bytes));
    assert_int_equal(ph_jeheap_read(profile, text, size_bytes, NULL, NULL), 0);
    assert_int_equal(ph_profile_check(profile, NULL), 0);
    assert_true(profile->sample_count >= 3);
    assert_int_equal(profile->period, 16384);
    assert_string_equal(ph_profile_text(profile, profile->mappings[0].file), "/usr/bin/leak");
    for (uint32_t i = 0; i < profile->location_count; i++)
        assert_int_not_equal(profile->locations[i].mapping, 0);
    ph_profile_free(profile);
    free(text);
}

static void dumps_cut_anywhere_are_refused_or_shorter(void **state)
{
    size_t size_bytes;
    char *text = hostile_read_golden("jemalloc.heap", &size_bytes);
    char *maps = memmem(text, size_bytes, "\nMAPPED", 7);
    /* Only behind a whole thread line or the last line of a block does a dump end, too. */
    size_t refused_count = hostile_cut(parse, text, (size_t)(maps - text));
    assert_true(refused_count > (size_t)(maps - text) * 95 / 100);
    hostile_cut(parse, text, size_bytes);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_its_magic_makes_a_dump),
        cmocka_unit_test(stacks_become_samples_with_calls_not_returns),
        cmocka_unit_test(values_are_unbiased_for_each_stack),
        cmocka_unit_test(mappings_are_the_executable_ones_main_first),
        cmocka_unit_test(the_main_binary_comes_first_even_above_its_libraries),
        cmocka_unit_test(mappings_that_are_known_win),
        cmocka_unit_test(a_dump_without_maps_is_read),
        cmocka_unit_test(threads_may_be_called_anything),
        cmocka_unit_test(bytes_without_objects_are_kept),
        cmocka_unit_test(counts_beyond_int64_stop_at_its_end),
        cmocka_unit_test(an_empty_stack_is_a_stack),
        cmocka_unit_test(stacks_that_differ_only_in_dropped_frames_are_one),
        cmocka_unit_test(marks_become_labels_that_keep_stacks_apart),
        cmocka_unit_test(marks_nobody_asks_for_are_dropped),
        cmocka_unit_test(more_marks_than_there_is_room_for_are_dropped),
        cmocka_unit_test(many_addresses_are_told_apart),
        cmocka_unit_test(what_is_wrong_is_told_with_its_place),
        cmocka_unit_test(what_jemalloc_writes_is_read),
        cmocka_unit_test(dumps_cut_anywhere_are_refused_or_shorter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
