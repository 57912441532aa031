#include "tools/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct ph_column columns[] = {{"SIZE", true}, {"NAME", false}, {"WHY", false}};

static void fill(struct ph_table *table, const char *const *cells)
{
    ph_table_init(table, columns, 3);
    for (; *cells; cells++)
        ph_table_add(table, *cells);
}

static void expect(const char *const *cells, size_t width, const char *text)
{
    struct ph_table table;
    struct ph_buf out = PH_BUF_INIT;
    fill(&table, cells);
    assert_int_equal(ph_table_write(&table, width, &out), 0);
    assert_string_equal(out.data, text);
    ph_buf_fini(&out);
    ph_table_fini(&table);
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
    static const char *const cells[] = {"1", "long name", "x", "12345", "a", "y", NULL};
    expect(cells, 0,
           " SIZE  NAME       WHY\n"
           "    1  long name  x\n"
           "12345  a          y\n");
}

static void no_line_ends_in_blanks(void **state)
{
    static const char *const cells[] = {"1", "a", "", NULL};
    expect(cells, 0, "SIZE  NAME  WHY\n   1  a\n");
}

static void a_table_without_rows_has_its_titles(void **state)
{
    static const char *const cells[] = {NULL};
    expect(cells, 0, "SIZE  NAME  WHY\n");
}

static void lines_are_cut_to_the_width_of_the_terminal(void **state)
{
    static const char *const cells[] = {"1", "größer", "because", NULL};
    expect(cells, 12, "SIZE  NAM...\n   1  grö...\n");
    expect(cells, 20, "SIZE  NAME    WHY\n   1  größer  bec...\n");
    expect(cells, 21, "SIZE  NAME    WHY\n   1  größer  because\n");
}

static void a_terminal_too_narrow_for_anything_gets_whole_lines(void **state)
{
    static const char *const cells[] = {"1", "a", "b", NULL};
    expect(cells, 3, "SIZE  NAME  WHY\n   1  a     b\n");
}

static void cells_cannot_drive_the_terminal(void **state)
{
    static const char *const cells[] = {"1", "a\x1b[2Jb", "x", NULL};
    expect(cells, 0, "SIZE  NAME       WHY\n   1  a\\x1b[2Jb  x\n");
}

static void many_rows_fit(void **state)
{
    struct ph_table table;
    struct ph_buf out = PH_BUF_INIT;
    ph_table_init(&table, columns, 3);
    for (int i = 0; i < 3000; i++)
        ph_table_add(&table, "x");
    assert_int_equal(ph_table_write(&table, 0, &out), 0);
    size_t line_count = 0;
    for (size_t i = 0; i < out.size_bytes; i++)
        line_count += out.data[i] == '\n';
    assert_int_equal(line_count, 1001);
    ph_buf_fini(&out);
    ph_table_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
        cmocka_unit_test(no_line_ends_in_blanks),
        cmocka_unit_test(a_table_without_rows_has_its_titles),
        cmocka_unit_test(lines_are_cut_to_the_width_of_the_terminal),
        cmocka_unit_test(a_terminal_too_narrow_for_anything_gets_whole_lines),
        cmocka_unit_test(cells_cannot_drive_the_terminal),
        cmocka_unit_test(many_rows_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
