#include "base/buf.h"
#include "hostile.h"
#include "model/check.h"
#include "model/heap_types.h"
#include "model/legacy_read.h"
#include "rich.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct ph_profile *read_bytes(const char *text, size_t size_bytes)
{
    struct ph_profile *profile = NULL;
    struct ph_error error = {0};
    if (ph_legacy_read(text, size_bytes, &profile, &error) < 0)
        fail_msg("%s", error.text);
    assert_int_equal(ph_profile_check(profile, &error), 0);
    return profile;
}

static struct ph_profile *read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

static int parse(const char *bytes, size_t size_bytes, struct ph_error *error)
{
    struct ph_profile *profile = NULL;
    int status = ph_legacy_read(bytes, size_bytes, &profile, error);
    if (status == 0)
        assert_int_equal(ph_profile_check(profile, NULL), 0);
    ph_profile_free(profile);
    return status;
}

static void refuse(const char *text, const char *error_text)
{
    hostile_refuse(parse, text, strlen(text), -EINVAL, error_text);
}

static const int64_t *values_of(const struct ph_profile *profile, uint32_t sample)
{
    assert_true(sample < profile->sample_count);
    return ph_profile_values(profile, sample);
}

static uint32_t location_of(const struct ph_profile *profile, uint32_t sample, uint32_t frame)
{
    assert_true(frame < profile->samples[sample].frame_count);
    return profile->frames[profile->samples[sample].first_frame + frame];
}

/* "name file:line" of each line of a location, with a bar between them. */
static void expect_lines(const struct ph_profile *profile, uint32_t location, const char *wanted)
{
    struct ph_buf text = PH_BUF_INIT;
    const struct ph_location *at = ph_profile_location(profile, location);
    for (uint32_t i = at->first_line; i < at->first_line + at->line_count; i++) {
        const struct ph_function *function = &profile->functions[profile->lines[i].function - 1];
        ph_buf_printf(&text, "%s%s %s:%d", i > at->first_line ? "|" : "", ph_profile_text(profile, function->name),
                      ph_profile_text(profile, function->file), (int)profile->lines[i].line);
    }
    assert_string_equal(text.data ? text.data : "", wanted);
    ph_buf_fini(&text);
}

static void only_its_title_makes_a_heap_text(void **state)
{
    assert_true(ph_legacy_is("heap profile:", 13));
    assert_false(ph_legacy_is("heap profile:", 12));
    assert_false(ph_legacy_is("heap_v2/1", 9));
    assert_false(ph_legacy_is(NULL, 0));
}

/* By hand: 4 objects of 1024 bytes at a rate of 1024, times 1 / (1 - 1/e) = 1.58198. */
static void each_header_tells_how_to_unbias(void **state)
{
    static const struct {
        const char *sampling;
        int64_t period, objects, bytes;
    } rows[] = {
        {"heap_v2/1024", 1024, 6, 6480}, {"heapz_v2/1024", 1024, 6, 6480},
        {"heap/2048", 1024, 6, 6480},    {"heapprofile", 1, 4, 4096},
        {"heap_v2/1", 1, 4, 4096},       {"heap_v2/0", 0, 4, 4096},
        {"heap/1", 0, 4, 4096},          {"heap_v2/1024 more", 1024, 6, 6480},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ph_buf text = PH_BUF_INIT;
        ph_buf_printf(&text, "heap profile: 4: 4096 [8: 8192] @ %s\n4: 4096 [8: 8192] @ 0x11\n", rows[i].sampling);
        struct ph_profile *profile = read_text(text.data);
        assert_int_equal(profile->period, rows[i].period);
        assert_int_equal(values_of(profile, 0)[PH_HEAP_INUSE_OBJECTS], rows[i].objects);
        assert_int_equal(values_of(profile, 0)[PH_HEAP_INUSE_SPACE], rows[i].bytes);
        assert_true(ph_heap_types_has(profile));
        ph_profile_free(profile);
        ph_buf_fini(&text);
    }
}

static void counts_may_be_padded_negative_or_without_allocations(void **state)
{
    struct ph_profile *profile = read_text("heap profile:     -1:        3 [    -6:       -6] @ heapprofile\n"
                                           "   1:    2 [    3:   4 ] @ 0x11\n"
                                           "5: 6 @ 0x21 0x11\n"
                                           "-7: -8 [-9: -10] @\n"
                                           "\n \t\n"
                                           "0: 3 [0: 0] @ 0x0\n");
    assert_int_equal(profile->sample_count, 4);
    assert_memory_equal(values_of(profile, 0), ((const int64_t[]){3, 4, 1, 2}), 32);
    assert_memory_equal(values_of(profile, 1), ((const int64_t[]){0, 0, 5, 6}), 32);
    assert_memory_equal(values_of(profile, 2), ((const int64_t[]){-9, -10, -7, -8}), 32);
    assert_memory_equal(values_of(profile, 3), ((const int64_t[]){0, 0, 0, 3}), 32);
    assert_int_equal(profile->samples[2].frame_count, 0);
    assert_int_equal(ph_profile_location(profile, location_of(profile, 0, 0))->address, 0x10);
    assert_int_equal(ph_profile_location(profile, location_of(profile, 3, 0))->address, 0);
    ph_profile_free(profile);
}

static void a_text_that_broke_off_is_refused(void **state)
{
    refuse("heap profile: 2: 300 [2: 300] @ heap_v2/1\n1: 200 [1: 200] @ 0x11\n",
           "line 3, column 1: expected more samples: the heading counts more bytes than those before, but the text "
           "ends here");
    refuse("heap profile: 1: 2 [9: 400] @ heap_v2/1\n1: 2 [1: 2] @ 0x11\n",
           "line 3, column 1: expected more samples: the heading counts more bytes than those before, but the text "
           "ends here");
    refuse("heap profile: 1: 2 [3: 4] @ heap_v2/1\n1: 2 [3: 4] @ 0x11\n\nMAPPED_LIBRARIES:\n00001000-0000",
           "line 5, column 14: expected the rest of the list of mapped files, but the text ends here");
    (void)state;
}

static void what_stands_behind_the_samples_tells_that_they_are_whole(void **state)
{
    struct ph_profile *profile = read_text("heap profile: 9: 900 [9: 900] @ heap/2\n1: 2 [3: 4] @ 0x11\n\n"
                                           "# runtime.MemStats\n# Alloc = 5\n");
    assert_int_equal(profile->sample_count, 1);
    ph_profile_free(profile);
    profile = read_text("heap profile: 9: 900 [9: 900] @ heap_v2/1\n1: 2 [3: 4] @ 0x11\n\nMAPPED_LIBRARIES:\n");
    assert_int_equal(profile->sample_count, 1);
    ph_profile_free(profile);
    (void)state;
}

static void maps_follow_under_either_title(void **state)
{
    static const char *const titles[] = {"MAPPED_LIBRARIES:", "--- Memory map: ---"};
    for (size_t i = 0; i < 2; i++) {
        struct ph_buf text = PH_BUF_INIT;
        ph_buf_printf(
            &text,
            "heap profile: 1: 2 [3: 4] @ heapprofile\n1: 2 [3: 4] @ 0x1800 0x2001\n\n%s\n"
            "1000-2000 r-xp 00000000 fe:00 7 /bin/main\r\n2000-3000 r-xp 00005000 fe:00 8 /lib/x.so (deleted)\n",
            titles[i]);
        struct ph_profile *profile = read_text(text.data);
        assert_int_equal(profile->mapping_count, 2);
        assert_string_equal(ph_profile_text(profile, profile->mappings[0].file), "/bin/main");
        assert_string_equal(ph_profile_text(profile, profile->mappings[1].file), "/lib/x.so");
        assert_int_equal(profile->mappings[1].offset, 0x5000);
        assert_int_equal(ph_profile_location(profile, location_of(profile, 0, 0))->mapping, 1);
        assert_int_equal(ph_profile_location(profile, location_of(profile, 0, 1))->mapping, 2);
        ph_profile_free(profile);
        ph_buf_fini(&text);
    }
}

static void symbol_lines_name_the_frames_above_them(void **state)
{
    struct ph_profile *profile = read_text("heap profile: 1: 2 [3: 4] @ heapprofile\n"
                                           "1: 2 [3: 4] @ 0x11 0x21 0x31 0x41\n"
                                           "#\t0x10\tmain.(*Tree).add+0x1f\t\t./tree.go:15\n"
                                           "#\t0x20\tinlined+0x3\tin.h:7\n"
                                           "#\t0x20\tcaller of it\tcaller.c:8\n"
                                           "#\t0x30\t?\tlibc.so.6+0x30\n"
                                           "#\t0x40\tno_file\n"
                                           "#\t0x99\tnobody+0x1\tx.c:1\n");
    expect_lines(profile, location_of(profile, 0, 0), "main.(*Tree).add ./tree.go:15");
    expect_lines(profile, location_of(profile, 0, 1), "inlined in.h:7|caller of it caller.c:8");
    expect_lines(profile, location_of(profile, 0, 2), "");
    expect_lines(profile, location_of(profile, 0, 3), "no_file :0");
    ph_profile_free(profile);
}

static void a_recursion_is_not_taken_for_inlined_calls(void **state)
{
    struct ph_profile *profile = read_text("heap profile: 1: 2 [3: 4] @ heapprofile\n"
                                           "1: 2 [3: 4] @ 0x11 0x11 0x21\n"
                                           "#\t0x10\tvisit+0x1\ttree.go:15\n"
                                           "#\t0x10\tvisit+0x1\ttree.go:15\n"
                                           "#\t0x20\tmain+0x1\tmain.go:1\n");
    expect_lines(profile, location_of(profile, 0, 0), "visit tree.go:15");
    expect_lines(profile, location_of(profile, 0, 1), "visit tree.go:15");
    expect_lines(profile, location_of(profile, 0, 2), "main main.go:1");
    ph_profile_free(profile);
}

/* Else a text of megabytes, half frames and half symbol lines that fit none of them, would take hours. */
static void a_symbol_is_looked_for_among_the_next_64_frames_only(void **state)
{
    for (unsigned skipped = 63; skipped <= 64; skipped++) {
        struct ph_buf text = PH_BUF_INIT;
        ph_buf_text(&text, "heap profile: 1: 2 [3: 4] @ heapprofile\n1: 2 [3: 4] @");
        for (unsigned i = 0; i <= skipped; i++)
            ph_buf_printf(&text, " 0x%x", 0x1001 + i * 16);
        ph_buf_printf(&text, "\n#\t0x%x\tlate+0x1\tx.c:1\n", 0x1000 + skipped * 16);
        struct ph_profile *profile = read_bytes(text.data, text.size_bytes);
        expect_lines(profile, location_of(profile, 0, skipped), skipped < 64 ? "late x.c:1" : "");
        ph_profile_free(profile);
        ph_buf_fini(&text);
    }
}

static void other_comments_are_nothing_to_us(void **state)
{
    struct ph_profile *profile = read_text("heap profile: 1: 2 [3: 4] @ heapprofile\n# any\n#\n#\t0x\n"
                                           "1: 2 [3: 4] @ 0x11\n#\t0x10\n# runtime.MemStats\n# PauseNs = [1 2]\n");
    assert_int_equal(profile->sample_count, 1);
    expect_lines(profile, location_of(profile, 0, 0), "");
    ph_profile_free(profile);
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
    refuse("", "line 1, column 1: expected \"heap profile:\", but the text ends here");
    refuse("heap_v2/1\n", "line 1, column 1: expected \"heap profile:\"");
    refuse("heap profile: x\n", "line 1, column 15: expected totals as in \"1: 2 [3: 4] @\"");
    refuse("heap profile: 1: 2 [3: 4] @ growthz\n",
           "line 1, column 29: expected heap_v2/RATE, heapz_v2/RATE, heap/RATE or heapprofile");
    refuse("heap profile: 1: 2 [3: 4] @ heap_v2/9223372036854775808\n",
           "line 1, column 56: expected heap_v2/RATE, heapz_v2/RATE, heap/RATE or heapprofile");
    refuse("heap profile: 1: 2 [3: 4] @ heapprofile\n1: 2 [3: 4]\n",
           "line 2, column 12: expected counts as in \"1: 2 [3: 4] @ 0x5\"");
    refuse("heap profile: 1: 2 [3: 4] @ heapprofile\n9223372036854775808: 2 [3: 4] @\n",
           "line 2, column 20: expected counts as in \"1: 2 [3: 4] @ 0x5\"");
    refuse("heap profile: 1: 2 [3: 4] @ heapprofile\n1: 2 [3: 4] @ 11\n",
           "line 2, column 15: expected an address (0x and at most 16 hex digits)");
    refuse("heap profile: 1: 2 [3: 4] @ heapprofile\n1: 2 [3: 4] @ 0x11111111111111111\n",
           "line 2, column 17: expected an address (0x and at most 16 hex digits)");
}

/* What go tool pprof -raw says of the same file; it cuts where we round. */
static void what_go_writes_with_debug_1_is_read(void **state)
{
    size_t size_bytes;
    char *text = hostile_read_golden("go119_heap.txt", &size_bytes);
    assert_true(ph_legacy_is(text, size_bytes));
    struct ph_profile *profile = read_bytes(text, size_bytes);
    static const int64_t totals[PH_HEAP_TYPE_COUNT] = {11461, 114184745, 11437, 111869192};
    assert_int_equal(profile->period, 524288);
    for (uint32_t i = 0; i < PH_HEAP_TYPE_COUNT; i++)
        assert_in_range(ph_profile_total(profile, i), totals[i], totals[i] + 10);
    assert_int_equal(profile->samples[0].frame_count, 5);
    expect_lines(profile, location_of(profile, 0, 0), "main.load ./golden.go:15");
    expect_lines(profile, location_of(profile, 0, 1), "main.parse ./golden.go:20");
    expect_lines(profile, location_of(profile, 0, 3), "runtime.main runtime/proc.go:250");
    expect_lines(profile, location_of(profile, 0, 4), "");
    ph_profile_free(profile);
    free(text);
}

static void texts_cut_anywhere_are_refused_or_shorter(void **state)
{
    size_t size_bytes;
    char *text = hostile_read_golden("go119_heap.txt", &size_bytes);
    hostile_cut(parse, text, size_bytes);
    free(text);
    static const char with_maps[] =
        "heap profile: 1: 2 [3: 4] @ heap/1024\n1: 2 [3: 4] @ 0x11\n#\t0x10\tf+0x1\tf.c:1\n"
        "\nMAPPED_LIBRARIES:\n0-20 r-xp 00000000 fe:00 7 /bin/main (deleted)\n";
    assert_true(hostile_cut(parse, with_maps, sizeof(with_maps) - 1) >= 48);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_its_title_makes_a_heap_text),
        cmocka_unit_test(each_header_tells_how_to_unbias),
        cmocka_unit_test(counts_may_be_padded_negative_or_without_allocations),
        cmocka_unit_test(a_text_that_broke_off_is_refused),
        cmocka_unit_test(what_stands_behind_the_samples_tells_that_they_are_whole),
        cmocka_unit_test(maps_follow_under_either_title),
        cmocka_unit_test(symbol_lines_name_the_frames_above_them),
        cmocka_unit_test(a_recursion_is_not_taken_for_inlined_calls),
        cmocka_unit_test(a_symbol_is_looked_for_among_the_next_64_frames_only),
        cmocka_unit_test(other_comments_are_nothing_to_us),
        cmocka_unit_test(what_is_wrong_is_told_with_its_place),
        cmocka_unit_test(what_go_writes_with_debug_1_is_read),
        cmocka_unit_test(texts_cut_anywhere_are_refused_or_shorter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
