#include "model/gzip.h"
#include "model/heap_types.h"
#include "model/pprof_write.h"
#include "tools/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int decode(const char *bytes, size_t size_bytes, enum ph_format format, struct ph_profile **ret_profile)
{
    enum ph_format got;
    struct ph_error error = {0};
    int failed = ph_decode(bytes, size_bytes, NULL, &got, ret_profile, &error);
    if (failed == 0)
        assert_int_equal(got, format);
    else
        assert_true(error.text[0] != '\0');
    return failed;
}

static void expect_refused(const char *text, const char *reason)
{
    enum ph_format format;
    struct ph_profile *profile;
    struct ph_error error = {0};
    assert_int_equal(ph_decode(text, strlen(text), NULL, &format, &profile, &error), -EINVAL);
    assert_non_null(strstr(error.text, reason));
}

static void pprof_profiles_are_known_by_their_content(void **state)
{
    struct ph_buf bytes = PH_BUF_INIT;
    struct ph_profile *profile = ph_profile_new(), *decoded;
    ph_heap_types_set(profile, 512 << 10);
    int64_t values[] = {1, 2, 3, 4};
    ph_profile_add_sample(profile, NULL, 0, NULL, 0, values);
    assert_int_equal(ph_pprof_write(profile, &bytes, NULL), 0);
    assert_int_equal(decode(bytes.data, bytes.size_bytes, PH_FORMAT_PPROF, &decoded), 0);
    assert_int_equal(ph_profile_total(decoded, PH_HEAP_INUSE_SPACE), 4);
    ph_profile_free(decoded);
    ph_profile_free(profile);
    ph_buf_fini(&bytes);
}

static void heap_texts_are_known_by_their_first_line(void **state)
{
    static const char text[] = "heap profile: 1: 100 [1: 100] @ heapprofile\n1: 100 [1: 100] @ 0x1000\n";
    struct ph_profile *profile;
    assert_int_equal(decode(text, strlen(text), PH_FORMAT_LEGACY, &profile), 0);
    assert_int_equal(profile->sample_count, 1);
    ph_profile_free(profile);
}

/* Where the code of this test and that of the C library are, as the kernel tells it. */
static void add_maps(struct ph_buf *out)
{
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps))
        ph_buf_text(out, line);
    fclose(maps);
}

static const char *leaf_name(const struct ph_profile *profile)
{
    const struct ph_location *leaf = ph_profile_location(profile, profile->frames[profile->samples[0].first_frame]);
    if (leaf->line_count == 0)
        return "";
    return ph_profile_text(profile, profile->functions[profile->lines[leaf->first_line].function - 1].name);
}

static void a_dump_is_named_from_the_files_it_lists(void **state)
{
    struct ph_buf text = PH_BUF_INIT;
    struct ph_profile *profile;
    ph_buf_printf(&text, "heap_v2/524288\n  t*: 1: 100 [0: 0]\n@ 0x%" PRIxPTR "\n  t*: 1: 100 [0: 0]\n",
                  (uintptr_t)ph_decode + 4);
    ph_buf_text(&text, "\nMAPPED_LIBRARIES:\n");
    size_t nameless_bytes = text.size_bytes;
    add_maps(&text);
    assert_int_equal(decode(text.data, text.size_bytes, PH_FORMAT_JEMALLOC, &profile), 0);
    assert_string_equal(leaf_name(profile), "ph_decode");
    ph_profile_free(profile);

    assert_int_equal(decode(text.data, nameless_bytes, PH_FORMAT_JEMALLOC, &profile), 0);
    assert_string_equal(leaf_name(profile), "");
    ph_profile_free(profile);
    ph_buf_fini(&text);
}

static void frames_of_the_allocator_are_left_out_of_a_dump(void **state)
{
    static const char text[] = "heap_v2/524288\n  t*: 1: 100 [0: 0]\n"
                               "@ 0x2001 0x3001 0x1001\n  t*: 1: 100 [0: 0]\n\nMAPPED_LIBRARIES:\n"
                               "1000-2000 r-xp 00000000 00:01 1 /opt/nosuch/server\n"
                               "2000-3000 r-xp 00000000 00:01 2 /opt/nosuch/libjemalloc.so.2\n"
                               "3000-4000 r-xp 00000000 00:01 3 /opt/nosuch/libporthole.so.0\n";
    struct ph_profile *profile;
    assert_int_equal(decode(text, strlen(text), PH_FORMAT_JEMALLOC, &profile), 0);
    assert_int_equal(profile->samples[0].frame_count, 1);
    assert_int_equal(ph_profile_location(profile, profile->frames[0])->address, 0x1000);
    ph_profile_free(profile);
}

static void folded_stacks_are_known_by_the_count_behind_the_first(void **state)
{
    static const char *const texts[] = {"main;serve 4096\n", "\n \n  main;f(int, char) -7\n", "main 5",
                                        "<hash<K>>::b;c 5\n", "f\x01;g 1\r\nh 2\r\n"};
    struct ph_profile *profile;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(decode(texts[i], strlen(texts[i]), PH_FORMAT_FOLDED, &profile), 0);
        assert_int_equal(ph_profile_find_type(profile, "inuse_space"), 0);
        ph_profile_free(profile);
    }
}

static void what_folded_stacks_count_may_be_said(void **state)
{
    static const char text[] = "main;serve 3\n";
    struct ph_decode_options options = {.metric = "alloc_objects"};
    struct ph_profile *profile;
    enum ph_format format;
    assert_int_equal(ph_decode(text, strlen(text), &options, &format, &profile, NULL), 0);
    assert_int_equal(ph_profile_find_type(profile, "alloc_objects"), 0);
    assert_string_equal(ph_profile_text(profile, profile->types[0].unit), "count");
    ph_profile_free(profile);
}

static struct ph_buf packed(const char *bytes, size_t size_bytes)
{
    struct ph_buf out = PH_BUF_INIT;
    struct ph_gzip_writer writer;
    assert_int_equal(ph_gzip_writer_init(&writer, &out), 0);
    ph_gzip_write(&writer, bytes, size_bytes);
    assert_int_equal(ph_gzip_writer_finish(&writer), 0);
    return out;
}

static void every_format_may_be_gzipped(void **state)
{
    static const struct {
        const char *text;
        enum ph_format format;
    } rows[] = {
        {"heap_v2/524288\n  t*: 1: 100 [0: 0]\n@ 0x1001\n  t*: 1: 100 [0: 0]\n", PH_FORMAT_JEMALLOC},
        {"heap profile: 1: 100 [1: 100] @ heapprofile\n1: 100 [1: 100] @ 0x1000\n", PH_FORMAT_LEGACY},
        {"main;serve 4096\n", PH_FORMAT_FOLDED},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ph_buf bytes = packed(rows[i].text, strlen(rows[i].text));
        struct ph_profile *profile;
        assert_int_equal(decode(bytes.data, bytes.size_bytes, rows[i].format, &profile), 0);
        assert_int_equal(profile->sample_count, 1);
        ph_profile_free(profile);
        ph_buf_fini(&bytes);
    }
}

static void expect_packed_refused(const char *text, const char *reason)
{
    struct ph_buf bytes = packed(text, strlen(text)), twice;
    enum ph_format format;
    struct ph_profile *profile;
    struct ph_error error = {0};
    assert_int_equal(ph_decode(bytes.data, bytes.size_bytes, NULL, &format, &profile, &error), -EINVAL);
    assert_non_null(strstr(error.text, reason));
    twice = packed(bytes.data, bytes.size_bytes);
    assert_int_equal(ph_decode(twice.data, twice.size_bytes, NULL, &format, &profile, &error), -EINVAL);
    assert_non_null(strstr(error.text, "gzip inside gzip"));
    ph_buf_fini(&twice);
    ph_buf_fini(&bytes);
}

static void errors_in_gzipped_text_tell_where_in_it(void **state)
{
    expect_packed_refused("main;f 1\nmain;f one\n", "decompressed, line 2, column 8: expected a count");
    expect_packed_refused("", "decompressed, byte 0: empty");
    expect_packed_refused("<!DOCTYPE html>", "decompressed, byte 0: HTML");
}

static void junk_is_told_from_text(void **state)
{
    static const char zeros[64], junk[] = "\x80\x81\xff\xfe junk";
    enum ph_format format;
    struct ph_profile *profile;
    struct ph_error error = {0};
    expect_refused("hello world\n", "line 1, column 1: expected a profile: pprof, jemalloc");
    expect_refused("goroutine profile: total 5\n", "a profile of goroutines");
    assert_int_equal(ph_decode(zeros, sizeof(zeros), NULL, &format, &profile, &error), -EINVAL);
    assert_non_null(strstr(error.text, "byte 0: expected a profile"));
    assert_int_equal(ph_decode(junk, sizeof(junk), NULL, &format, &profile, &error), -EINVAL);
    assert_non_null(strstr(error.text, "byte 0: expected a profile"));
}

static void values_that_make_no_sense_do_no_harm(void **state)
{
    static const char odd[] = "heap_v2/524288\n  t*: 1: 100 [0: 0]\n@ 0x1001\n  t*: 0: 100 [0: 7]\n"
                              "@ 0x2001\n  t*: 18446744073709551615: 18446744073709551615 [1: 0]\n";
    struct ph_profile *profile;
    assert_int_equal(decode(odd, strlen(odd), PH_FORMAT_JEMALLOC, &profile), 0);
    assert_int_equal(ph_profile_values(profile, 0)[PH_HEAP_INUSE_SPACE], 100);
    assert_int_equal(ph_profile_values(profile, 0)[PH_HEAP_INUSE_OBJECTS], 0);
    assert_int_equal(ph_profile_values(profile, 1)[PH_HEAP_INUSE_SPACE], INT64_MAX);
    ph_profile_free(profile);
    expect_refused("heap_v2/524288\n  t*: -1: 100 [0: 0]\n", "line 2, column 7: expected a count");
    expect_refused("main;f 99999999999999999999\n", "line 1, column 8: expected a count");
}

static void sources_of_symbols_must_be_there(void **state)
{
    struct ph_decode_options options = {.symbols = {.binary = "/opt/nosuch/server"}};
    struct ph_profile *profile;
    struct ph_error error = {0};
    enum ph_format format;
    assert_int_equal(ph_decode("main 5", 6, &options, &format, &profile, &error), -ENOENT);
    assert_non_null(strstr(error.text, "--binary /opt/nosuch/server"));
}

static void what_is_no_profile_is_called_by_its_name(void **state)
{
    expect_refused("", "byte 0: empty");
    expect_refused("<!DOCTYPE html><p>404", "HTML or JSON");
    expect_refused("  <html>", "HTML or JSON");
    expect_refused("{\"error\": \"no\"}", "HTML or JSON");
}

static void errors_of_the_readers_are_handed_on(void **state)
{
    expect_refused("heap_v2/524288\n  t*: 1: 100 [0: 0]\n@ 0x", "line 3");
    expect_refused("heap profile: x", "line 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pprof_profiles_are_known_by_their_content),
        cmocka_unit_test(heap_texts_are_known_by_their_first_line),
        cmocka_unit_test(a_dump_is_named_from_the_files_it_lists),
        cmocka_unit_test(frames_of_the_allocator_are_left_out_of_a_dump),
        cmocka_unit_test(folded_stacks_are_known_by_the_count_behind_the_first),
        cmocka_unit_test(what_folded_stacks_count_may_be_said),
        cmocka_unit_test(every_format_may_be_gzipped),
        cmocka_unit_test(errors_in_gzipped_text_tell_where_in_it),
        cmocka_unit_test(junk_is_told_from_text),
        cmocka_unit_test(values_that_make_no_sense_do_no_harm),
        cmocka_unit_test(sources_of_symbols_must_be_there),
        cmocka_unit_test(what_is_no_profile_is_called_by_its_name),
        cmocka_unit_test(errors_of_the_readers_are_handed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
