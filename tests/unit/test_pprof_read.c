#include "base/buf.h"
#include "hostile.h"
#include "model/check.h"
#include "model/gzip.h"
#include "model/heap_types.h"
#include "model/merge.h"
#include "model/pprof_read.h"
#include "pprof_bytes.h"
#include "rich.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse(const char *bytes, size_t size_bytes, struct ph_error *error)
{
    struct ph_profile *profile = NULL;
    int status = ph_pprof_read(bytes, size_bytes, &profile, error);
    if (status == 0)
        assert_int_equal(ph_profile_check(profile, NULL), 0);
    ph_profile_free(profile);
    return status;
}

/* Without the place, which has to be there. */
static int parse_placed(const char *bytes, size_t size_bytes, struct ph_error *error)
{
    struct ph_error placed = {0};
    size_t place = size_bytes + 1;
    int length = 0, status = parse(bytes, size_bytes, &placed);
    assert_int_equal(sscanf(placed.text, "byte %zu: %n", &place, &length), 1);
    assert_true(length > 0 && place <= size_bytes);
    return ph_error_set(error, status, "%s", placed.text + length);
}

static struct ph_profile *read_bytes(const char *bytes, size_t size_bytes)
{
    struct ph_profile *profile = NULL;
    struct ph_error error = {0};
    if (ph_pprof_read(bytes, size_bytes, &profile, &error) < 0)
        fail_msg("%s", error.text);
    return profile;
}

static void ids_and_order_are_the_writers_choice(void **state)
{
    struct ph_buf wire = wire_of(&plan_sound);
    struct ph_profile *profile = read_bytes(wire.data, wire.size_bytes);
    char *text = rich_text(profile);
    assert_string_equal(text, "type space/\nperiod /\nperiod 0 time 0 duration 0\n"
                              "default \"space\" drop \"\" keep \"\"\ncomment \"main\"\n"
                              "mapping 0-0+0 /bin/main [] 0000\n"
                              "sample 7 main=\"\"/8\n"
                              "  1234 main () :0:0 from 0 in 0-0+0 /bin/main [] 0000\n");
    assert_int_equal(profile->frames[0], 1);
    free(text);
    ph_profile_free(profile);
    ph_buf_fini(&wire);
}

static void references_that_lead_nowhere_are_refused(void **state)
{
    const struct {
        size_t offset;
        uint64_t value;
        const char *text;
    } rows[] = {
#define ROW(field, value, text) {offsetof(struct plan, field), value, text}
        ROW(in_mapping, 51, "location 1000000: mapping 51 is not in the profile"),
        ROW(in_function, 1, "location 1000000: function 1 is not in the profile"),
        ROW(in_function, 0, "location 1000000: function 0 is not in the profile"),
        ROW(through_location, 1, "sample 0: location 1 is not in the profile"),
        ROW(through_location, 0, "sample 0: location 0 is not in the profile"),
        ROW(mapping_id, 0, "mapping number 1 has the id 0"),
        ROW(function_id, 0, "function number 1 has the id 0"),
        ROW(location_id, 0, "location number 1 has the id 0"),
        ROW(type_string, 4, "sample type 0: string 4 is not in the table of 4"),
        ROW(type_string, UINT64_MAX, "sample type 0: string -1 is not in the table of 4"),
        ROW(mapping_file, 4, "mapping 50: string 4 is not in the table of 4"),
        ROW(function_name, 4, "function 18446744073709551615: string 4 is not in the table of 4"),
        ROW(label_key, UINT64_C(1) << 32, "label of sample 0: string 4294967296 is not in the table of 4"),
        ROW(comment, 4, "comment 0: string 4 is not in the table of 4"),
        ROW(default_type, 4, "profile 0: string 4 is not in the table of 4"),
#undef ROW
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct plan plan = plan_sound;
        memcpy((char *)&plan + rows[i].offset, &rows[i].value, sizeof(rows[i].value));
        struct ph_buf wire = wire_of(&plan);
        hostile_refuse(parse_placed, wire.data, wire.size_bytes, -EINVAL, rows[i].text);
        ph_buf_fini(&wire);
    }
}

static void counts_that_do_not_fit_are_refused(void **state)
{
    const struct {
        size_t offset;
        unsigned value;
        const char *text;
    } rows[] = {
#define ROW(field, value, text) {offsetof(struct plan, field), value, text}
        ROW(value_count, 0, "sample 0: 0 values, expected 1"),
        ROW(value_count, 2, "sample 0: 2 values, expected 1"),
        ROW(type_count, 0, "0 sample types, expected 1 to 16"),
        ROW(type_count, 17, "17 sample types, expected 1 to 16"),
        ROW(mapping_count, 2, "mapping 50 is there twice"),
        ROW(location_count, 2, "location 1000000 is there twice"),
#undef ROW
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct plan plan = plan_sound;
        memcpy((char *)&plan + rows[i].offset, &rows[i].value, sizeof(rows[i].value));
        struct ph_buf wire = wire_of(&plan);
        hostile_refuse(parse_placed, wire.data, wire.size_bytes, -EINVAL, rows[i].text);
        ph_buf_fini(&wire);
    }
}

static void string_0_is_empty(void **state)
{
    struct plan plan = plan_sound;
    plan.string_0 = "x";
    struct ph_buf wire = wire_of(&plan);
    hostile_refuse(parse, wire.data, wire.size_bytes, -EINVAL, "byte 67: string 0: expected the empty string");
    ph_buf_fini(&wire);
}

static void lengths_are_not_believed(void **state)
{
    static const struct {
        const char *bytes;
        size_t size_bytes;
        const char *text;
    } rows[] = {
        {"", 0, "byte 0: expected a pprof profile, but there is nothing"},
        {"\x32", 1, "byte 0: field 6 does not fit into the 0 bytes that are left"},
        {"\x32\x05"
         "1234",
         6, "byte 0: field 6 does not fit into the 4 bytes that are left"},
        {"\x32\x00\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 13,
         "byte 2: field 2 does not fit into the 0 bytes that are left"},
        {"\x32\x00\x12\xff\xff\xff\xff\x7f", 8, "byte 2: field 2 does not fit into the 0 bytes that are left"},
        {"\x49\x01\x02\x03", 4, "byte 0: field 9 does not fit into the 3 bytes that are left"},
        {"\x00\x00", 2, "byte 0: expected a protobuf field"}, /* field 0 */
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, "byte 0: expected a protobuf field"},
        {"<html>", 6, "byte 0: field 7 does not fit into the 5 bytes that are left"},
        {"\x32\x00", 2, "byte 2: 0 sample types, expected 1 to 16"},
        {"\x10\x07", 2, "byte 2: 0 sample types, expected 1 to 16"}, /* a sample that is a number */
        {"\x30\x07", 2, "byte 0: expected a sound Profile message"},
        {"\x0a\x02\x08\x00\x12\x01\xff", 7, "byte 4: expected a sound Sample message"},
        {"\x0a\x01\xff", 3, "byte 0: expected sound sample types, times and comments"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        hostile_refuse(parse, rows[i].bytes, rows[i].size_bytes, -EINVAL, rows[i].text);
}

static void unknown_fields_are_skipped(void **state)
{
    struct ph_buf wire = wire_of(&plan_sound);
    put_number(&wire, 15, 1);
    put_number(&wire, 16, 1);
    put_bytes(&wire, 536870911, "any", 3);
    ph_buf_append(&wire,
                  "\x91\x03"
                  "12345678\x95\x03"
                  "1234",
                  16); /* fixed 64 and 32 */
    ph_profile_free(read_bytes(wire.data, wire.size_bytes));
    ph_buf_fini(&wire);
}

static void equal_samples_are_joined(void **state)
{
    struct ph_buf wire = wire_of(&plan_sound);
    put_sample(&wire, &plan_sound);
    struct ph_profile *profile = read_bytes(wire.data, wire.size_bytes);
    assert_int_equal(profile->sample_count, 1);
    assert_int_equal(ph_profile_values(profile, 0)[0], 14);
    ph_profile_free(profile);
    ph_buf_fini(&wire);
}

static void messages_of_many_megabytes_are_refused(void **state)
{
    enum { SIZE = (16 << 20) + 1 };
    struct ph_buf wire = PH_BUF_INIT;
    struct ph_error error = {0};
    char *zeros = calloc(1, SIZE);
    put_bytes(&wire, 1, "", 0);
    put_bytes(&wire, 2, zeros, SIZE);
    assert_int_equal(parse(wire.data, wire.size_bytes, &error), -EFBIG);
    assert_string_equal(error.text, "a Sample message of more than 16777216 bytes");
    wire.size_bytes = 0;
    put_bytes(&wire, 13, zeros, SIZE);
    assert_int_equal(parse(wire.data, wire.size_bytes, &error), -EFBIG);
    assert_string_equal(error.text, "a Profile message of more than 16777216 bytes");
    ph_buf_fini(&wire);
    free(zeros);
}

/* Were the string added anew for each of them, this would not end. */
static void many_comments_may_be_one_long_string(void **state)
{
    enum { COUNT = 1 << 20, SIZE = 1 << 20 };
    struct ph_buf wire = PH_BUF_INIT;
    char *bytes = malloc(COUNT > SIZE ? COUNT : SIZE);
    put_bytes(&wire, 1, "", 0);
    put_bytes(&wire, 6, "", 0);
    put_bytes(&wire, 6, memset(bytes, 'a', SIZE), SIZE);
    put_bytes(&wire, 13, memset(bytes, 1, COUNT), COUNT);
    struct ph_profile *profile = read_bytes(wire.data, wire.size_bytes), *merged = NULL;
    assert_int_equal(profile->comment_count, COUNT);
    assert_int_equal(strlen(ph_profile_text(profile, profile->comments[COUNT - 1])), SIZE);
    assert_int_equal(ph_profile_merge((const struct ph_profile *const *)&profile, 1, &merged, NULL), 0);
    assert_int_equal(merged->comment_count, 1);
    ph_profile_free(merged);
    ph_profile_free(profile);
    ph_buf_fini(&wire);
    free(bytes);
}

static void an_empty_or_cut_gzip_stream_is_refused(void **state)
{
    struct ph_gzip_writer writer;
    struct ph_buf packed = PH_BUF_INIT;
    assert_int_equal(ph_gzip_writer_init(&writer, &packed), 0);
    assert_int_equal(ph_gzip_writer_finish(&writer), 0);
    hostile_refuse(parse, packed.data, packed.size_bytes, -EINVAL,
                   "byte 0: expected a pprof profile, but there is nothing");
    hostile_refuse(parse, "\x1f\x8b", 2, -EINVAL, "byte 2: the gzip stream ends early");
    ph_buf_fini(&packed);
}

static void inputs_cut_anywhere_are_refused_or_shorter(void **state)
{
    size_t size_bytes;
    char *packed = hostile_read_golden("go119_heap.pb.gz", &size_bytes);
    struct ph_buf plain = PH_BUF_INIT, wire = wire_of(&plan_sound);
    assert_int_equal(hostile_cut(parse, packed, size_bytes), size_bytes);
    assert_int_equal(ph_gzip_read(packed, size_bytes, 1 << 20, &plain, NULL), 0);
    hostile_cut(parse, plain.data, plain.size_bytes);
    assert_true(hostile_cut(parse, wire.data, wire.size_bytes) > wire.size_bytes - 4);
    ph_buf_fini(&plain);
    ph_buf_fini(&wire);
    free(packed);
}

/* Bytes turned over: whatever comes of it, it is consistent or refused with a reason. */
static void damaged_inputs_are_refused_or_consistent(void **state)
{
    size_t size_bytes;
    char *packed = hostile_read_golden("go119_cpu.pb.gz", &size_bytes);
    struct ph_buf plain = PH_BUF_INIT;
    assert_int_equal(ph_gzip_read(packed, size_bytes, 1 << 20, &plain, NULL), 0);
    for (size_t i = 0; i < plain.size_bytes; i++) {
        for (int bit = 0; bit < 8; bit++) {
            struct ph_error error = {0};
            plain.data[i] = (char)(plain.data[i] ^ 1 << bit);
            if (parse(plain.data, plain.size_bytes, &error) < 0)
                assert_true(error.text[0] != '\0');
            plain.data[i] = (char)(plain.data[i] ^ 1 << bit);
        }
    }
    ph_buf_fini(&plain);
    free(packed);
}

/* Figures of go tool pprof -raw on the same files. */
static void what_go_writes_of_its_heap_is_read(void **state)
{
    static const int64_t totals[PH_HEAP_TYPE_COUNT] = {11461, 114184745, 11437, 111869192};
    size_t size_bytes;
    char *bytes = hostile_read_golden("go119_heap.pb.gz", &size_bytes);
    struct ph_profile *profile = read_bytes(bytes, size_bytes);
    assert_true(ph_heap_types_has(profile));
    for (uint32_t i = 0; i < PH_HEAP_TYPE_COUNT; i++)
        assert_int_equal(ph_profile_total(profile, i), totals[i]);
    assert_int_equal(profile->period, 524288);
    assert_int_equal(profile->sample_count, 8);
    assert_int_equal(profile->location_count, 13);
    assert_true(profile->time_ns > INT64_C(1700000000000000000));
    const struct ph_label *label = &profile->labels[profile->samples[0].first_label];
    assert_string_equal(ph_profile_text(profile, label->key), "bytes");
    assert_int_equal(label->number, 131072);
    assert_int_equal(profile->mappings[0].start, 0x400000);
    assert_true(profile->mappings[0].has_functions && !profile->mappings[0].has_inline_frames);
    ph_profile_free(profile);
    free(bytes);
}

static void what_go_writes_of_its_cpu_is_read(void **state)
{
    size_t size_bytes;
    char *bytes = hostile_read_golden("go119_cpu.pb.gz", &size_bytes);
    struct ph_profile *profile = read_bytes(bytes, size_bytes);
    assert_int_equal(ph_profile_find_type(profile, "samples"), 0);
    assert_int_equal(ph_profile_find_type(profile, "cpu"), 1);
    assert_int_equal(ph_profile_total(profile, 0), 9);
    assert_int_equal(ph_profile_total(profile, 1), 90000000);
    assert_int_equal(profile->period, 10000000);
    assert_true(profile->duration_ns > 0);
    const struct ph_location *leaf = ph_profile_location(profile, profile->frames[0]);
    const struct ph_function *function = &profile->functions[profile->lines[leaf->first_line].function - 1];
    assert_string_equal(ph_profile_text(profile, function->name), "main.spin");
    assert_int_equal(profile->lines[leaf->first_line].line, 28);
    ph_profile_free(profile);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_and_order_are_the_writers_choice),
        cmocka_unit_test(references_that_lead_nowhere_are_refused),
        cmocka_unit_test(counts_that_do_not_fit_are_refused),
        cmocka_unit_test(string_0_is_empty),
        cmocka_unit_test(lengths_are_not_believed),
        cmocka_unit_test(unknown_fields_are_skipped),
        cmocka_unit_test(equal_samples_are_joined),
        cmocka_unit_test(messages_of_many_megabytes_are_refused),
        cmocka_unit_test(many_comments_may_be_one_long_string),
        cmocka_unit_test(an_empty_or_cut_gzip_stream_is_refused),
        cmocka_unit_test(inputs_cut_anywhere_are_refused_or_shorter),
        cmocka_unit_test(damaged_inputs_are_refused_or_consistent),
        cmocka_unit_test(what_go_writes_of_its_heap_is_read),
        cmocka_unit_test(what_go_writes_of_its_cpu_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
