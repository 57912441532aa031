#include "elf/tables.h"

#include "elf_fixture.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HUGE_BYTES (UINT64_MAX - 3)

static struct ph_file image_of(const char *path)
{
    size_t size_bytes;
    unsigned char *bytes = fixture_read(path, &size_bytes);
    return ph_file_over(bytes, size_bytes);
}

static ElfW(Ehdr) * header_of(const struct ph_file *image)
{
    return (void *)image->bytes;
}

static ElfW(Shdr) * sections_of(const struct ph_file *image)
{
    return (void *)(image->bytes + header_of(image)->e_shoff);
}

static ElfW(Shdr) * section_of(const struct ph_file *image, ElfW(Word) type)
{
    ElfW(Shdr) *section = sections_of(image);
    while (section->sh_type != type)
        section++;
    return section;
}

static void the_tables_of_each_kind_of_library_are_found(void **state)
{
    static const struct {
        const char *path;
        bool full, debugdata, build_id;
    } rows[] = {{SYMBOLS_LIBRARY("plain.so"), true, false, true},
                {SYMBOLS_LIBRARY("stripped.so"), false, false, true},
                {SYMBOLS_LIBRARY("mini.so"), false, true, true},
                {SYMBOLS_LIBRARY("bare.so"), true, false, false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ph_file image = image_of(rows[i].path);
        struct ph_tables tables;
        assert_int_equal(ph_tables_read(&tables, &image), 0);
        assert_int_equal(tables.full.symbols.size_bytes > 0, rows[i].full);
        assert_int_equal(tables.full.names.size_bytes > 0, rows[i].full);
        assert_true(tables.dynamic.symbols.size_bytes > 0);
        assert_true(tables.dynamic.names.size_bytes > 0);
        assert_int_equal(tables.debugdata.size_bytes > 0, rows[i].debugdata);
        assert_int_equal(strlen(tables.build_id), rows[i].build_id ? 40 : 0);
        ph_tables_fini(&tables);
        ph_file_close(&image);
    }
}

/* One field of the header of .symtab, or of its names, damaged. */
enum place { ENTRY_SIZE, LINK, LINK_FAR, OFFSET, SIZE, NAMES_TYPE, NAMES_OFFSET, NAMES_SIZE, COMPRESSED, PLACES };

static void damage(const struct ph_file *image, enum place place)
{
    ElfW(Shdr) *symbols = section_of(image, SHT_SYMTAB), *names = sections_of(image) + symbols->sh_link;
    switch (place) {
    case ENTRY_SIZE:
        symbols->sh_entsize = 16;
        break;
    case LINK:
        symbols->sh_link = 0;
        break;
    case LINK_FAR:
        symbols->sh_link = 0x7fffffff;
        break;
    case OFFSET:
        symbols->sh_offset = HUGE_BYTES;
        break;
    case SIZE:
        symbols->sh_size = HUGE_BYTES;
        break;
    case NAMES_TYPE:
        names->sh_type = SHT_PROGBITS;
        break;
    case NAMES_OFFSET:
        names->sh_offset = image->size_bytes;
        break;
    case NAMES_SIZE:
        names->sh_size = HUGE_BYTES;
        break;
    case COMPRESSED:
        symbols->sh_flags |= SHF_COMPRESSED;
        break;
    case PLACES:
        break;
    }
}

static void a_table_whose_header_is_damaged_is_left_out_and_the_other_stays(void **state)
{
    for (enum place place = 0; place < PLACES; place++) {
        struct ph_file image = image_of(SYMBOLS_LIBRARY("plain.so"));
        struct ph_tables tables;
        damage(&image, place);
        assert_int_equal(ph_tables_read(&tables, &image), 0);
        assert_int_equal(tables.full.symbols.size_bytes, 0);
        assert_true(tables.dynamic.symbols.size_bytes > 0);
        ph_tables_fini(&tables);
        ph_file_close(&image);
    }
}

static void half_a_symbol_at_the_end_of_a_table_is_cut_off(void **state)
{
    struct ph_file image = image_of(SYMBOLS_LIBRARY("plain.so"));
    struct ph_tables tables;
    uint64_t whole_bytes = section_of(&image, SHT_SYMTAB)->sh_size;
    section_of(&image, SHT_SYMTAB)->sh_size -= 7;
    assert_int_equal(ph_tables_read(&tables, &image), 0);
    assert_int_equal(tables.full.symbols.size_bytes, whole_bytes - sizeof(ElfW(Sym)));
    ph_tables_fini(&tables);
    ph_file_close(&image);
}

static void a_file_without_usable_section_headers_is_refused(void **state)
{
    struct ph_file image = image_of(SYMBOLS_LIBRARY("plain.so"));
    ElfW(Ehdr) whole = *header_of(&image);
    struct ph_tables tables;
    header_of(&image)->e_shnum = 0; /* "the number is in the first section header": 64 bits of it */
    sections_of(&image)->sh_size = UINT64_C(1) << 40;
    assert_int_equal(ph_tables_read(&tables, &image), -EINVAL);
    *header_of(&image) = whole;
    header_of(&image)->e_shentsize = 32;
    assert_int_equal(ph_tables_read(&tables, &image), -EINVAL);
    *header_of(&image) = whole;
    header_of(&image)->e_shoff = HUGE_BYTES;
    assert_int_equal(ph_tables_read(&tables, &image), -EINVAL);
    *header_of(&image) = whole;
    header_of(&image)->e_ident[EI_CLASS] = ELFCLASS32;
    assert_int_equal(ph_tables_read(&tables, &image), -EINVAL);
    *header_of(&image) = whole;
    assert_int_equal(ph_tables_read(&tables, &image), 0);
    ph_tables_fini(&tables);
    ph_file_close(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tables_of_each_kind_of_library_are_found),
        cmocka_unit_test(a_table_whose_header_is_damaged_is_left_out_and_the_other_stays),
        cmocka_unit_test(half_a_symbol_at_the_end_of_a_table_is_cut_off),
        cmocka_unit_test(a_file_without_usable_section_headers_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
