#include "elf/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect(struct ph_names *names, uint64_t offset, const char *wanted)
{
    size_t size_bytes = 0;
    const char *name = ph_names_read(names, offset, &size_bytes);
    if (!wanted) {
        assert_null(name);
        return;
    }
    assert_non_null(name);
    assert_int_equal(size_bytes, strlen(wanted));
    assert_memory_equal(name, wanted, size_bytes);
}

static void names_are_read_in_any_order_and_end_at_their_table(void **state)
{
    static const char table[] = "before\0first\0\0second\0unterminated";
    unsigned char *bytes = malloc(sizeof(table));
    assert_non_null(bytes);
    memcpy(bytes, table, sizeof(table));
    struct ph_file file = ph_file_over(bytes, sizeof(table));
    struct ph_names names;
    /* The table begins behind "before" and is cut within the last word, though its file goes on. */
    assert_int_equal(ph_names_init(&names, &file, (struct ph_range){7, sizeof(table) - 7 - 3}), 0);
    expect(&names, 7, "second");
    expect(&names, 0, "first");
    expect(&names, 2, "rst");
    expect(&names, 5, NULL);
    expect(&names, 6, NULL);
    expect(&names, 14, NULL);
    expect(&names, sizeof(table), NULL);
    expect(&names, UINT64_MAX, NULL);
    ph_names_fini(&names);
    ph_file_close(&file);
}

static void a_name_may_lie_across_windows_but_has_a_limit(void **state)
{
    const size_t longest = PH_NAME_MAX_BYTES - 1, table_bytes = 4 * PH_NAME_MAX_BYTES;
    unsigned char *bytes = malloc(table_bytes);
    assert_non_null(bytes);
    memset(bytes, 'x', table_bytes);
    bytes[20000] = '\0';
    bytes[20001 + longest] = '\0';
    bytes[table_bytes - 1] = '\0';
    struct ph_file file = ph_file_over(bytes, table_bytes);
    struct ph_names names;
    size_t size_bytes;
    assert_int_equal(ph_names_init(&names, &file, (struct ph_range){0, table_bytes}), 0);
    assert_non_null(ph_names_read(&names, 100, &size_bytes));
    assert_int_equal(size_bytes, 19900);
    assert_non_null(ph_names_read(&names, 20001, &size_bytes));
    assert_int_equal(size_bytes, longest);
    assert_null(ph_names_read(&names, 20002 + longest, &size_bytes));
    ph_names_fini(&names);
    ph_file_close(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read_in_any_order_and_end_at_their_table),
        cmocka_unit_test(a_name_may_lie_across_windows_but_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
