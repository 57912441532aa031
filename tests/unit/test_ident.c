#include "elf/ident.h"

#include "elf/file.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* A note of another kind, padded; then a build id of 6 bytes, padded. */
static const unsigned char notes[] = {
    4, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 'G', 'N', 'U', 0, 1,    2,    3, 0,          /* ABI tag */
    4, 0, 0, 0, 6, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', 0, 0xde, 0xad, 0, 1, 2, 0xff, /* build id */
};

/* The page behind the bytes cannot be read. */
struct guarded {
    unsigned char *pages, *limit;
    size_t page_bytes;
};

static struct guarded guard_open(void)
{
    struct guarded guarded = {.page_bytes = (size_t)sysconf(_SC_PAGESIZE)};
    guarded.pages = mmap(NULL, 2 * guarded.page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(guarded.pages != MAP_FAILED);
    guarded.limit = guarded.pages + guarded.page_bytes;
    assert_int_equal(mprotect(guarded.limit, guarded.page_bytes, PROT_NONE), 0);
    return guarded;
}

static void a_build_id_is_found_behind_other_notes(void **state)
{
    char text[PH_BUILD_ID_TEXT_MAX];
    assert_true(ph_note_build_id(notes, sizeof(notes), 4, text));
    assert_string_equal(text, "dead000102ff");
}

static void notes_cut_at_every_byte_give_no_build_id_and_no_overrun(void **state)
{
    struct guarded guarded = guard_open();
    char text[PH_BUILD_ID_TEXT_MAX];
    for (size_t size_bytes = 0; size_bytes < sizeof(notes); size_bytes++) {
        memcpy(guarded.limit - size_bytes, notes, size_bytes);
        assert_false(ph_note_build_id(guarded.limit - size_bytes, size_bytes, 4, text));
    }
    munmap(guarded.pages, 2 * guarded.page_bytes);
}

static void notes_with_any_lengths_cause_no_overrun(void **state)
{
    struct guarded guarded = guard_open();
    unsigned char *start = guarded.limit - sizeof(notes);
    char text[PH_BUILD_ID_TEXT_MAX];
    static const size_t lengths_at[] = {0, 4, 20, 24};
    static const uint32_t lengths[] = {0, 1, 5, 64, 65, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff};
    for (size_t i = 0; i < sizeof(lengths_at) / sizeof(lengths_at[0]); i++) {
        for (size_t k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++) {
            memcpy(start, notes, sizeof(notes));
            memcpy(start + lengths_at[i], &lengths[k], sizeof(lengths[k]));
            ph_note_build_id(start, sizeof(notes), i & 1 ? 8 : 4, text);
        }
    }
    munmap(guarded.pages, 2 * guarded.page_bytes);
}

static void a_build_id_that_is_too_long_is_none(void **state)
{
    unsigned char bytes[16 + 65] = {4, 0, 0, 0, 65, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', 0};
    char text[PH_BUILD_ID_TEXT_MAX];
    assert_false(ph_note_build_id(bytes, sizeof(bytes), 4, text));
    bytes[4] = 64;
    assert_true(ph_note_build_id(bytes, sizeof(bytes), 4, text));
    assert_int_equal(strlen(text), 128);
}

static void the_bias_is_that_of_the_segment_mapped_there(void **state)
{
    /* Two code segments that share a page of the file, as the linkers of old laid them out. */
    struct ph_ident ident = {.loads = {{0x1000, 0x1000, 0x2800}, {0x3800, 0x7800, 0x1000}}, .load_count = 2};
    assert_int_equal(ph_ident_bias(&ident, 0x7f0000001000, 0x1000), 0x7f0000000000);
    assert_int_equal(ph_ident_bias(&ident, 0x7f0000002000, 0x2000), 0x7f0000000000);
    assert_int_equal(ph_ident_bias(&ident, 0x7f0000007000, 0x3000), 0x7f0000000000);
    assert_int_equal(ph_ident_bias(&ident, 0x7f0000010000, 0x10000), 0);
    /* A program at a fixed address. */
    struct ph_ident fixed = {.loads = {{0x1000, 0x401000, 0x2800}}, .load_count = 1};
    assert_int_equal(ph_ident_bias(&fixed, 0x401000, 0x1000), 0);
}

static void only_elf_files_of_this_machine_have_an_identity(void **state)
{
    struct ph_file file;
    struct ph_ident ident;
    assert_int_equal(ph_file_open(&file, "/proc/self/exe"), 0);
    assert_true(ph_ident_read(ph_file_read, &file, &ident));
    assert_true(ident.load_count > 0);
    assert_true(ident.header_hash != 0);
    unsigned char *bytes = malloc(4096);
    assert_non_null(bytes);
    assert_true(ph_file_read(&file, 0, bytes, 4096));
    ph_file_close(&file);
    struct ph_file image = ph_file_over(bytes, 4096);
    assert_true(ph_ident_read(ph_file_read, &image, &ident));
    static const unsigned places[] = {0, 3, EI_CLASS, EI_DATA};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        bytes[places[i]] ^= 3;
        assert_false(ph_ident_read(ph_file_read, &image, &ident));
        bytes[places[i]] ^= 3;
    }
    image.size_bytes = 63;
    assert_false(ph_ident_read(ph_file_read, &image, &ident));
    image.size_bytes = 65;
    assert_false(ph_ident_read(ph_file_read, &image, &ident));
    ph_file_close(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_build_id_is_found_behind_other_notes),
        cmocka_unit_test(notes_cut_at_every_byte_give_no_build_id_and_no_overrun),
        cmocka_unit_test(notes_with_any_lengths_cause_no_overrun),
        cmocka_unit_test(a_build_id_that_is_too_long_is_none),
        cmocka_unit_test(the_bias_is_that_of_the_segment_mapped_there),
        cmocka_unit_test(only_elf_files_of_this_machine_have_an_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
