#include "elf/lookup.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CODE_START 0x1000
#define CODE_LIMIT 0x2000
#define NAMES_MAX  4096

/* One row of a made-up symbol table; section 1 is code from CODE_START, section 2 is data above it. */
struct row {
    const char *name;
    uint64_t value, size;
    unsigned char type, bind;
    uint16_t section;
};

#define FUNC(name, value, size)                                                                                    \
    {                                                                                                              \
        name, value, size, STT_FUNC, STB_GLOBAL, 1                                                                 \
    }
#define LOCAL(name, value, size)                                                                                   \
    {                                                                                                              \
        name, value, size, STT_FUNC, STB_LOCAL, 1                                                                  \
    }
#define WEAK(name, value, size)                                                                                    \
    {                                                                                                              \
        name, value, size, STT_FUNC, STB_WEAK, 1                                                                   \
    }
#define LABEL(name, value, size)                                                                                   \
    {                                                                                                              \
        name, value, size, STT_NOTYPE, STB_LOCAL, 1                                                                \
    }
#define OBJECT(name, value, size)                                                                                  \
    {                                                                                                              \
        name, value, size, STT_OBJECT, STB_GLOBAL, 2                                                               \
    }

struct made {
    struct ph_file file;
    struct ph_section sections[3];
    struct ph_tables tables;
};

static struct made make_table(const struct row *rows, size_t count)
{
    struct made made = {.sections = {{0, 0}, {CODE_START, CODE_LIMIT}, {0, 0}}};
    size_t symbol_bytes = count * sizeof(ElfW(Sym));
    unsigned char *bytes = calloc(1, symbol_bytes + NAMES_MAX);
    char *names = (char *)bytes + symbol_bytes;
    size_t next = 1;
    assert_non_null(bytes);
    for (size_t i = 0; i < count; i++) {
        ElfW(Sym) symbol = {.st_name = (ElfW(Word))next,
                            .st_value = rows[i].value,
                            .st_size = rows[i].size,
                            .st_info = ELF64_ST_INFO(rows[i].bind, rows[i].type),
                            .st_shndx = rows[i].section};
        memcpy(bytes + i * sizeof(symbol), &symbol, sizeof(symbol));
        assert_true(next + strlen(rows[i].name) + 1 < NAMES_MAX);
        strcpy(names + next, rows[i].name);
        next += strlen(rows[i].name) + 1;
    }
    made.file = ph_file_over(bytes, symbol_bytes + next);
    made.tables = (struct ph_tables){.full = {{0, symbol_bytes}, {symbol_bytes, next}}, .section_count = 3};
    return made;
}

static int walk(struct ph_lookup *lookup, struct made *made)
{
    made->tables.sections = made->sections;
    return ph_lookup_walk(lookup, (struct ph_lookup_table){&made->file, &made->tables, &made->tables.full});
}

static void expect_in(struct made *tables, size_t table_count, uint64_t address, const char *name, uint64_t offset)
{
    struct ph_query query = {.address = address};
    struct ph_lookup lookup = {.queries = &query, .query_count = 1};
    struct ph_arena text = PH_ARENA_INIT;
    for (size_t i = 0; i < table_count; i++)
        assert_int_equal(walk(&lookup, &tables[i]), 0);
    assert_int_equal(ph_lookup_finish(&lookup, &text), 0);
    if (name) {
        assert_non_null(query.name);
        assert_string_equal(query.name, name);
        assert_int_equal(query.offset, offset);
    } else {
        assert_null(query.name);
    }
    ph_arena_fini(&text);
}

static void expect(const struct row *rows, size_t count, uint64_t address, const char *name, uint64_t offset)
{
    struct made made = make_table(rows, count);
    expect_in(&made, 1, address, name, offset);
    ph_file_close(&made.file);
}

#define EXPECT(rows, address, name, offset) expect(rows, sizeof(rows) / sizeof((rows)[0]), address, name, offset)

static void a_symbol_reaches_as_far_as_its_size(void **state)
{
    static const struct row rows[] = {FUNC("first", 0x1100, 0x10), FUNC("second", 0x1120, 0x10)};
    EXPECT(rows, 0x10ff, NULL, 0);
    EXPECT(rows, 0x1100, "first", 0);
    EXPECT(rows, 0x110f, "first", 0xf);
    EXPECT(rows, 0x1110, NULL, 0);
    EXPECT(rows, 0x1120, "second", 0);
    EXPECT(rows, 0x1130, NULL, 0);
}

static void a_symbol_without_size_reaches_to_the_next_or_to_the_end_of_its_section(void **state)
{
    static const struct row rows[] = {FUNC("open_end", 0x1200, 0), FUNC("next", 0x1220, 8),
                                      FUNC("last", 0x1300, 0)};
    EXPECT(rows, 0x1200, "open_end", 0);
    EXPECT(rows, 0x121f, "open_end", 0x1f);
    EXPECT(rows, 0x1220, "next", 0);
    EXPECT(rows, 0x1228, NULL, 0);
    EXPECT(rows, 0x1fff, "last", 0xcff);
    EXPECT(rows, 0x2000, NULL, 0);
}

static void the_innermost_of_nested_functions_wins(void **state)
{
    static const struct row rows[] = {FUNC("outer", 0x1100, 0x100), FUNC("inner", 0x1140, 0x10),
                                      LOCAL("entry", 0x1144, 4)};
    EXPECT(rows, 0x1130, "outer", 0x30);
    EXPECT(rows, 0x1142, "inner", 2);
    EXPECT(rows, 0x1145, "entry", 1);
    EXPECT(rows, 0x1149, "inner", 9);
    EXPECT(rows, 0x1150, "outer", 0x50);
}

static void a_label_is_only_the_last_resort(void **state)
{
    static const struct row rows[] = {FUNC("function", 0x1100, 0x40),      LABEL("inside", 0x1110, 0),
                                      LABEL("sized_inside", 0x1110, 0x10), LABEL("alone", 0x1180, 0),
                                      LABEL(".hidden", 0x1190, 0),         LABEL("$x", 0x11a0, 0)};
    EXPECT(rows, 0x1114, "function", 0x14);
    EXPECT(rows, 0x1184, "alone", 4);
    EXPECT(rows, 0x1194, NULL, 0);
    EXPECT(rows, 0x11a4, NULL, 0);
}

static void data_and_undefined_symbols_name_no_code(void **state)
{
    static const struct row rows[] = {OBJECT("variable", 0x2100, 64),
                                      {"undefined", 0x1100, 16, STT_FUNC, STB_GLOBAL, SHN_UNDEF},
                                      {"absolute", 0x1100, 16, STT_FUNC, STB_GLOBAL, SHN_ABS},
                                      {"elsewhere", 0x1100, 16, STT_FUNC, STB_GLOBAL, 77},
                                      {"outside", 0x3000, 16, STT_FUNC, STB_GLOBAL, 1},
                                      {"", 0x1100, 16, STT_FUNC, STB_GLOBAL, 1}};
    EXPECT(rows, 0x1108, NULL, 0);
    EXPECT(rows, 0x2108, NULL, 0);
    EXPECT(rows, 0x3008, NULL, 0);
}

static void the_public_one_of_several_names_is_chosen(void **state)
{
    static const struct row rows[] = {
        LOCAL("aa", 0x1100, 16),         FUNC("__libc_malloc", 0x1100, 16), FUNC("malloc", 0x1100, 16),
        FUNC("__write", 0x1200, 16),     WEAK("write", 0x1200, 16),         WEAK("weak", 0x1300, 16),
        FUNC("global", 0x1300, 16),      FUNC("_Z3foov", 0x1400, 16),       WEAK("_Z3barv", 0x1400, 16),
        FUNC("_underscore", 0x1500, 16), FUNC("_ZN1aC1Ev", 0x1500, 16)};
    EXPECT(rows, 0x1104, "malloc", 4);
    EXPECT(rows, 0x1204, "write", 4);
    EXPECT(rows, 0x1304, "global", 4);
    EXPECT(rows, 0x1404, "_Z3foov", 4);
    EXPECT(rows, 0x1504, "_ZN1aC1Ev", 4);
}

static void versions_are_cut_from_names_and_unprintable_names_are_none(void **state)
{
    static const struct row rows[] = {FUNC("versioned@@V_1", 0x1100, 16), FUNC("old@V_0", 0x1200, 16),
                                      FUNC("line\nend", 0x1300, 16), FUNC("@odd", 0x1400, 16)};
    EXPECT(rows, 0x1100, "versioned", 0);
    EXPECT(rows, 0x1200, "old", 0);
    EXPECT(rows, 0x1300, NULL, 0);
    EXPECT(rows, 0x1400, "@odd", 0);
}

static void a_later_table_wins_only_where_it_is_nearer(void **state)
{
    static const struct row full[] = {FUNC("same", 0x1100, 16), LOCAL("far", 0x1200, 0x100)};
    static const struct row dynamic[] = {FUNC("same_again", 0x1100, 16), FUNC("near", 0x1240, 16),
                                         FUNC("new", 0x1400, 16)};
    struct made tables[] = {make_table(full, 2), make_table(dynamic, 3)};
    expect_in(tables, 2, 0x1104, "same", 4);
    expect_in(tables, 2, 0x1244, "near", 4);
    expect_in(tables, 2, 0x1250, "far", 0x50);
    expect_in(tables, 2, 0x1404, "new", 4);
    ph_file_close(&tables[0].file);
    ph_file_close(&tables[1].file);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

/* The rules of lookup.h, one address and one symbol at a time, as slow as it gets. */
static const struct row *slow_lookup(const struct row *rows, size_t count, uint64_t address)
{
    const struct row *covering = NULL, *preceding = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        uint64_t limit = row->value + row->size < CODE_LIMIT ? row->value + row->size : CODE_LIMIT;
        if (row->value > address)
            continue;
        if (address < limit && (!covering || row->value > covering->value))
            covering = row;
        if (!preceding || row->value > preceding->value)
            preceding = row;
    }
    return covering ? covering : preceding && preceding->size == 0 ? preceding : NULL;
}

static void many_addresses_at_once_get_what_each_alone_would(void **state)
{
    enum { ROWS = 200, QUERIES = 600 };
    static char texts[ROWS][8];
    struct row rows[ROWS];
    struct ph_query queries[QUERIES];
    uint64_t seed = 42;
    for (unsigned round = 0; round < 50; round++) {
        for (unsigned i = 0; i < ROWS; i++) {
            snprintf(texts[i], sizeof(texts[i]), "f%u", i);
            /* Starts differ: equal ones are the business of other tests. */
            uint64_t start = CODE_START + i * 20 + next_random(&seed) % 20;
            uint64_t size = next_random(&seed) % 4 ? next_random(&seed) % 90 : 0;
            rows[i] = (struct row)FUNC(texts[i], start, size);
        }
        memset(queries, 0, sizeof(queries));
        for (unsigned i = 0, address = CODE_START; i < QUERIES; i++, address += (unsigned)next_random(&seed) % 14)
            queries[i].address = address;
        struct made made = make_table(rows, ROWS);
        struct ph_lookup lookup = {.queries = queries, .query_count = QUERIES};
        struct ph_arena text = PH_ARENA_INIT;
        assert_int_equal(walk(&lookup, &made), 0);
        assert_int_equal(ph_lookup_finish(&lookup, &text), 0);
        for (unsigned i = 0; i < QUERIES; i++) {
            const struct row *right =
                queries[i].address < CODE_LIMIT ? slow_lookup(rows, ROWS, queries[i].address) : NULL;
            assert_int_equal(right != NULL, queries[i].name != NULL);
            if (right) {
                assert_string_equal(queries[i].name, right->name);
                assert_int_equal(queries[i].offset, queries[i].address - right->value);
            }
        }
        ph_arena_fini(&text);
        ph_file_close(&made.file);
    }
}

static void a_table_in_which_everything_covers_everything_is_given_up(void **state)
{
    enum { ROWS = 100, QUERIES = 4000 };
    struct row rows[ROWS];
    static struct ph_query queries[QUERIES];
    for (unsigned i = 0; i < ROWS; i++)
        rows[i] = (struct row)FUNC("f", CODE_START, 0x1000);
    for (unsigned i = 0; i < QUERIES; i++)
        queries[i].address = CODE_START + i;
    struct made made = make_table(rows, ROWS);
    struct ph_lookup lookup = {.queries = queries, .query_count = QUERIES};
    assert_int_equal(walk(&lookup, &made), -EINVAL);
    ph_file_close(&made.file);
}

static void a_table_that_ends_behind_its_file_is_an_error(void **state)
{
    static const struct row rows[] = {FUNC("first", 0x1100, 16)};
    struct ph_query query = {.address = 0x1100};
    struct ph_lookup lookup = {.queries = &query, .query_count = 1};
    struct made made = make_table(rows, 1);
    made.tables.full.symbols.size_bytes = 100 * sizeof(ElfW(Sym));
    assert_int_equal(walk(&lookup, &made), -EIO);
    ph_file_close(&made.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_symbol_reaches_as_far_as_its_size),
        cmocka_unit_test(a_symbol_without_size_reaches_to_the_next_or_to_the_end_of_its_section),
        cmocka_unit_test(the_innermost_of_nested_functions_wins),
        cmocka_unit_test(a_label_is_only_the_last_resort),
        cmocka_unit_test(data_and_undefined_symbols_name_no_code),
        cmocka_unit_test(the_public_one_of_several_names_is_chosen),
        cmocka_unit_test(versions_are_cut_from_names_and_unprintable_names_are_none),
        cmocka_unit_test(a_later_table_wins_only_where_it_is_nearer),
        cmocka_unit_test(many_addresses_at_once_get_what_each_alone_would),
        cmocka_unit_test(a_table_in_which_everything_covers_everything_is_given_up),
        cmocka_unit_test(a_table_that_ends_behind_its_file_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
