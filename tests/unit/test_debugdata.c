#include "elf/debugdata.h"

#include <errno.h>
#include <lzma.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* @size_bytes of zeros behind a word, packed, with @margin_bytes of something else around it. */
static struct ph_file pack(size_t size_bytes, uint32_t preset, size_t margin_bytes, struct ph_range *ret_packed)
{
    size_t room = lzma_stream_buffer_bound(size_bytes), used = 0;
    unsigned char *bytes = calloc(1, size_bytes), *packed = malloc(room + 2 * margin_bytes);
    assert_true(bytes && packed);
    memcpy(bytes, "word", size_bytes < 4 ? size_bytes : 4);
    memset(packed, 0xaa, room + 2 * margin_bytes);
    assert_int_equal(lzma_easy_buffer_encode(preset, LZMA_CHECK_CRC32, NULL, bytes, size_bytes,
                                             packed + margin_bytes, &used, room),
                     LZMA_OK);
    free(bytes);
    *ret_packed = (struct ph_range){margin_bytes, used};
    return ph_file_over(packed, used + 2 * margin_bytes);
}

static void what_was_packed_is_unpacked(void **state)
{
    static const size_t sizes[] = {1, 1000, 256 * 1024, 256 * 1024 + 1, 5000000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct ph_range packed;
        struct ph_file file = pack(sizes[i], 6, 33, &packed), image;
        assert_int_equal(ph_debugdata_read(&image, &file, packed), 0);
        assert_int_equal(image.size_bytes, sizes[i]);
        assert_int_equal(image.bytes[0], 'w');
        assert_int_equal(image.bytes[sizes[i] - 1], sizes[i] == 1 ? 'w' : 0);
        ph_file_close(&image);
        ph_file_close(&file);
    }
}

static void a_bomb_is_refused(void **state)
{
    struct ph_range packed;
    struct ph_file file = pack(PH_DEBUGDATA_MAX_BYTES + 1, 0, 0, &packed), image;
    assert_true(file.size_bytes < PH_DEBUGDATA_MAX_BYTES / 100);
    assert_int_equal(ph_debugdata_read(&image, &file, packed), -EFBIG);
    ph_file_close(&file);
}

static void a_stream_that_asks_for_much_memory_is_refused(void **state)
{
    lzma_options_lzma options;
    assert_false(lzma_lzma_preset(&options, 0));
    options.dict_size = UINT32_C(256) << 20;
    const lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    unsigned char *packed = malloc(4096);
    size_t used = 0;
    assert_non_null(packed);
    assert_int_equal(lzma_stream_buffer_encode((lzma_filter *)filters, LZMA_CHECK_NONE, NULL,
                                               (const unsigned char *)"word", 4, packed, &used, 4096),
                     LZMA_OK);
    struct ph_file file = ph_file_over(packed, used), image;
    assert_int_equal(ph_debugdata_read(&image, &file, (struct ph_range){0, used}), -ENOMEM);
    ph_file_close(&file);
}

static void a_stream_cut_or_changed_anywhere_is_an_error(void **state)
{
    struct ph_range packed;
    struct ph_file file = pack(3000, 6, 8, &packed), image;
    for (uint64_t cut = 0; cut < packed.size_bytes; cut++)
        assert_int_equal(ph_debugdata_read(&image, &file, (struct ph_range){packed.offset, cut}), -EINVAL);
    for (uint64_t place = 0; place < packed.size_bytes; place++) {
        file.bytes[packed.offset + place] ^= 0x55;
        assert_true(ph_debugdata_read(&image, &file, packed) < 0);
        file.bytes[packed.offset + place] ^= 0x55;
    }
    assert_int_equal(ph_debugdata_read(&image, &file, (struct ph_range){packed.offset, 100000}), -EIO);
    ph_file_close(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_packed_is_unpacked),
        cmocka_unit_test(a_bomb_is_refused),
        cmocka_unit_test(a_stream_that_asks_for_much_memory_is_refused),
        cmocka_unit_test(a_stream_cut_or_changed_anywhere_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
