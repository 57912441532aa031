#include "hostile.h"
#include "model/gzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void append_gzip(struct ph_buf *out, const void *bytes, size_t size_bytes)
{
    struct ph_gzip_writer writer;
    assert_int_equal(ph_gzip_writer_init(&writer, out), 0);
    ph_gzip_write(&writer, bytes, size_bytes);
    assert_int_equal(ph_gzip_writer_finish(&writer), 0);
}

static void what_is_compressed_comes_back(void **state)
{
    enum { SIZE = 1 << 20 };
    struct ph_buf packed = PH_BUF_INIT, plain = PH_BUF_INIT;
    unsigned char *bytes = malloc(SIZE);
    uint32_t random = 1;
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (unsigned char)((random = random * 1664525 + 1013904223) >> 24); /* does not shrink */
    append_gzip(&packed, bytes, SIZE);
    assert_true(ph_gzip_is(packed.data, packed.size_bytes));
    ph_buf_text(&plain, "before ");
    assert_int_equal(ph_gzip_read(packed.data, packed.size_bytes, SIZE, &plain, NULL), 0);
    assert_int_equal(plain.size_bytes, 7 + SIZE);
    assert_memory_equal(plain.data, "before ", 7);
    assert_memory_equal(plain.data + 7, bytes, SIZE);
    ph_buf_fini(&packed);
    ph_buf_fini(&plain);
    free(bytes);
}

static void members_in_a_row_are_one_stream(void **state)
{
    struct ph_buf packed = PH_BUF_INIT, plain = PH_BUF_INIT;
    append_gzip(&packed, "one ", 4);
    append_gzip(&packed, "", 0);
    append_gzip(&packed, "two", 3);
    assert_int_equal(ph_gzip_read(packed.data, packed.size_bytes, 7, &plain, NULL), 0);
    assert_string_equal(plain.data, "one two");
    ph_buf_fini(&packed);
    ph_buf_fini(&plain);
}

static void bombs_are_defused_at_the_limit(void **state)
{
    enum { SIZE = 16 << 20, LIMIT = 1 << 20 };
    struct ph_buf packed = PH_BUF_INIT, plain = PH_BUF_INIT;
    struct ph_error error = {0};
    char *zeros = calloc(1, SIZE);
    append_gzip(&packed, zeros, SIZE);
    assert_true(packed.size_bytes < SIZE / 100);
    assert_int_equal(ph_gzip_read(packed.data, packed.size_bytes, LIMIT, &plain, &error), -EFBIG);
    assert_string_equal(error.text, "more than 1048576 bytes once decompressed");
    assert_true(plain.size_bytes <= LIMIT + 1);
    ph_buf_fini(&plain);
    assert_int_equal(ph_gzip_read(packed.data, packed.size_bytes, SIZE - 1, &plain, &error), -EFBIG);
    ph_buf_fini(&plain);
    assert_int_equal(ph_gzip_read(packed.data, packed.size_bytes, SIZE, &plain, &error), 0);
    ph_buf_fini(&plain);
    ph_buf_fini(&packed);
    free(zeros);
}

static int parse(const char *bytes, size_t size_bytes, struct ph_error *error)
{
    struct ph_buf plain = PH_BUF_INIT;
    int status = ph_gzip_read(bytes, size_bytes, 1000, &plain, error);
    ph_buf_fini(&plain);
    return status;
}

static void a_cut_stream_is_refused_wherever_it_is_cut(void **state)
{
    struct ph_buf packed = PH_BUF_INIT;
    append_gzip(&packed, "some text, some text", 20);
    assert_int_equal(hostile_cut(parse, packed.data, packed.size_bytes), packed.size_bytes);
    struct ph_error error = {0};
    assert_int_equal(parse(packed.data, packed.size_bytes - 9, &error), -EINVAL);
    assert_non_null(strstr(error.text, ": the gzip stream ends early"));
    ph_buf_fini(&packed);
}

static void a_damaged_stream_is_refused(void **state)
{
    struct ph_buf packed = PH_BUF_INIT;
    append_gzip(&packed, "some text, some text", 20);
    packed.data[packed.size_bytes - 8] ^= 1; /* its checksum */
    struct ph_error error = {0};
    assert_int_equal(parse(packed.data, packed.size_bytes, &error), -EINVAL);
    assert_non_null(strstr(error.text, ": expected a sound gzip stream"));
    packed.data[packed.size_bytes - 8] ^= 1;
    ph_buf_text(&packed, "junk");
    assert_int_equal(parse(packed.data, packed.size_bytes, &error), -EINVAL);
    ph_buf_fini(&packed);
}

static void the_magic_bytes_make_gzip(void **state)
{
    assert_true(ph_gzip_is("\x1f\x8b", 2));
    assert_false(ph_gzip_is("\x1f\x8b", 1));
    assert_false(ph_gzip_is("\x1f\x8c", 2));
    assert_false(ph_gzip_is(NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_compressed_comes_back),
        cmocka_unit_test(members_in_a_row_are_one_stream),
        cmocka_unit_test(bombs_are_defused_at_the_limit),
        cmocka_unit_test(a_cut_stream_is_refused_wherever_it_is_cut),
        cmocka_unit_test(a_damaged_stream_is_refused),
        cmocka_unit_test(the_magic_bytes_make_gzip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
