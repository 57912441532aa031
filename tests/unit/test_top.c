#include "model/top.h"
#include "rich.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct ph_profile *new_profile(void)
{
    struct ph_profile *profile = ph_profile_new();
    ph_profile_add_type(profile, "space", "bytes");
    return profile;
}

static void expect_row(const struct ph_top *top, size_t row, const char *name, int64_t flat, int64_t cumulative)
{
    assert_true(row < top->row_count);
    assert_string_equal(top->rows[row].name, name);
    assert_int_equal(top->rows[row].flat, flat);
    assert_int_equal(top->rows[row].cumulative, cumulative);
}

static void leaves_count_flat_and_callers_cumulative(void **state)
{
    struct ph_profile *profile = new_profile();
    struct ph_top top;
    rich_add(profile, (const char *const[]){"parse", "main", NULL}, 10);
    rich_add(profile, (const char *const[]){"load", "parse", "main", NULL}, 30);
    rich_add(profile, (const char *const[]){"main", NULL}, 5);
    assert_int_equal(ph_top_build(profile, 0, &top), 0);
    ph_profile_free(profile); /* the rows are copies */
    assert_int_equal(top.row_count, 3);
    assert_int_equal(top.total, 45);
    expect_row(&top, 0, "load", 30, 30);
    expect_row(&top, 1, "parse", 10, 40);
    expect_row(&top, 2, "main", 5, 45);
    ph_top_fini(&top);
    assert_null(top.rows);
}

static void a_recursion_counts_once(void **state)
{
    struct ph_profile *profile = new_profile();
    struct ph_top top;
    rich_add(profile, (const char *const[]){"visit", "visit", "visit", "main", NULL}, 7);
    rich_add(profile, (const char *const[]){"visit", "main", NULL}, 1);
    assert_int_equal(ph_top_build(profile, 0, &top), 0);
    expect_row(&top, 0, "visit", 8, 8);
    expect_row(&top, 1, "main", 0, 8);
    ph_top_fini(&top);
    ph_profile_free(profile);
}

static void rows_come_by_size_whatever_the_sign(void **state)
{
    struct ph_profile *profile = new_profile();
    struct ph_top top;
    rich_add(profile, (const char *const[]){"shrinks", NULL}, -50);
    rich_add(profile, (const char *const[]){"grows", NULL}, 40);
    rich_add(profile, (const char *const[]){"b", "big", NULL}, 5);
    rich_add(profile, (const char *const[]){"a", "big", NULL}, 5);
    assert_int_equal(ph_top_build(profile, 0, &top), 0);
    static const char *const names[] = {"shrinks", "grows", "a", "b", "big"};
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(top.rows[i].name, names[i]);
    assert_int_equal(top.total, 0);
    ph_top_fini(&top);
    ph_profile_free(profile);
}

static void an_inlined_leaf_is_the_innermost_call(void **state)
{
    struct ph_profile *profile = rich_profile();
    struct ph_top top;
    assert_int_equal(ph_top_build(profile, 1, &top), 0);
    expect_row(&top, 0, "parse<int>", INT64_MAX - 4096, INT64_MAX - 4096);
    assert_string_equal(top.rows[0].file, "/usr/bin/server");
    for (size_t i = 1; i < top.row_count; i++)
        if (top.rows[i].name[0] == 's')
            expect_row(&top, i, "serve", 0, INT64_MAX - 4096);
    ph_top_fini(&top);
    ph_profile_free(profile);
}

static void what_has_no_name_goes_by_file_or_address(void **state)
{
    struct ph_profile *profile = new_profile();
    struct ph_top top;
    static const char *const files[] = {"/lib/libc.so.6", "[vdso]", ""};
    for (size_t i = 0; i < 3; i++) {
        struct ph_mapping mapping = {.limit = UINT64_MAX, .file = ph_profile_string(profile, files[i])};
        ph_profile_add_mapping(profile, &mapping);
    }
    const uint32_t frames[] = {
        ph_profile_add_location(profile, 1, 0x10, false, NULL, 0),
        ph_profile_add_location(profile, 1, 0x20, false, NULL, 0),
        ph_profile_add_location(profile, 2, 0x30, false, NULL, 0),
        ph_profile_add_location(profile, 3, 0x40, false, NULL, 0),
        ph_profile_add_location(profile, 0, 0xabc, false, NULL, 0),
    };
    for (uint32_t i = 0; i < 5; i++)
        ph_profile_add_sample(profile, &frames[i], 1, NULL, 0, (const int64_t[]){1 << (5 - i)});
    assert_int_equal(ph_top_build(profile, 0, &top), 0);
    assert_int_equal(top.row_count, 4);
    expect_row(&top, 0, "[libc.so.6]", 48, 48); /* both addresses */
    assert_string_equal(top.rows[0].file, "/lib/libc.so.6");
    expect_row(&top, 1, "[vdso]", 8, 8);
    expect_row(&top, 2, "0x40", 4, 4);
    expect_row(&top, 3, "0xabc", 2, 2);
    ph_top_fini(&top);
    ph_profile_free(profile);
}

static void functions_of_one_name_in_two_files_are_two(void **state)
{
    struct ph_profile *profile = new_profile();
    struct ph_top top;
    const struct ph_line line = {.function = rich_function(profile, "init", "")};
    for (uint32_t i = 1; i <= 2; i++) {
        struct ph_mapping mapping = {.limit = 1, .file = ph_profile_string(profile, i == 1 ? "/lib/a" : "/lib/b")};
        ph_profile_add_mapping(profile, &mapping);
        uint32_t frame = ph_profile_add_location(profile, i, 0x10, false, &line, 1);
        ph_profile_add_sample(profile, &frame, 1, NULL, 0, (const int64_t[]){i});
    }
    assert_int_equal(ph_top_build(profile, 0, &top), 0);
    assert_int_equal(top.row_count, 2);
    assert_string_equal(top.rows[0].file, "/lib/b");
    assert_string_equal(top.rows[1].file, "/lib/a");
    ph_top_fini(&top);
    ph_profile_free(profile);
}

static void functions_without_samples_have_no_row(void **state)
{
    struct ph_profile *profile = new_profile();
    struct ph_top top;
    rich_named(profile, "never");
    rich_add(profile, (const char *const[]){"main", NULL}, 1);
    assert_int_equal(ph_top_build(profile, 0, &top), 0);
    assert_int_equal(top.row_count, 1);
    expect_row(&top, 0, "main", 1, 1);
    ph_top_fini(&top);
    ph_profile_free(profile);
}

static void samples_without_frames_count_in_the_total_only(void **state)
{
    struct ph_profile *profile = new_profile();
    struct ph_top top;
    assert_int_equal(ph_top_build(profile, 0, &top), 0);
    assert_int_equal(top.row_count, 0);
    ph_top_fini(&top);
    rich_add(profile, (const char *const[]){NULL}, 9);
    assert_int_equal(ph_top_build(profile, 0, &top), 0);
    assert_int_equal(top.row_count, 0);
    assert_int_equal(top.total, 9);
    ph_top_fini(&top);
    ph_profile_free(profile);
}

static void by_line_the_same_function_has_several_rows(void **state)
{
    struct ph_profile *profile = new_profile();
    struct ph_top top;
    uint32_t function = rich_function(profile, "parse", "src/parse.c"), frames[2];
    for (int64_t i = 0; i < 2; i++) {
        struct ph_line line = {.function = function, .line = 10 * (i + 1)};
        frames[i] = ph_profile_add_location(profile, 0, 0, false, &line, 1);
        ph_profile_add_sample(profile, &frames[i], 1, NULL, 0, (const int64_t[]){i + 1});
    }
    rich_add(profile, (const char *const[]){"load", NULL}, 9);
    assert_int_equal(ph_top_build_by(profile, 0, PH_TOP_LINE, &top), 0);
    assert_int_equal(top.row_count, 3);
    expect_row(&top, 0, "load", 9, 9);
    expect_row(&top, 1, "parse src/parse.c:20", 2, 2);
    expect_row(&top, 2, "parse src/parse.c:10", 1, 1);
    ph_top_fini(&top);
    ph_profile_free(profile);
}

static uint32_t place(struct ph_profile *profile, uint32_t mapping, uint64_t address, const char *name)
{
    struct ph_line line = {.function = *name ? rich_function(profile, name, "") : 0};
    return ph_profile_add_location(profile, mapping, address, false, &line, *name ? 1 : 0);
}

static void by_module_all_of_a_file_is_one_row_named_or_not(void **state)
{
    struct ph_profile *profile = new_profile();
    struct ph_top top;
    struct ph_mapping mapping = {
        .start = 0x1000, .limit = 0x9000, .file = ph_profile_string(profile, "/lib/libz.so.1")};
    uint32_t libz = ph_profile_add_mapping(profile, &mapping);
    uint32_t in[] = {place(profile, libz, 0x1001, "deflate"), place(profile, libz, 0x1002, "")};
    uint32_t out[] = {place(profile, 0, 0x77, ""), place(profile, 0, 0x78, "")};
    ph_profile_add_sample(profile, in, 2, NULL, 0, (const int64_t[]){7});
    ph_profile_add_sample(profile, out, 1, NULL, 0, (const int64_t[]){2});
    ph_profile_add_sample(profile, out + 1, 1, NULL, 0, (const int64_t[]){1});
    assert_int_equal(ph_top_build_by(profile, 0, PH_TOP_MODULE, &top), 0);
    assert_int_equal(top.row_count, 2);
    expect_row(&top, 0, "[libz.so.1]", 7, 7);
    expect_row(&top, 1, "[unknown]", 3, 3);
    ph_top_fini(&top);
    ph_profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_count_flat_and_callers_cumulative),
        cmocka_unit_test(a_recursion_counts_once),
        cmocka_unit_test(rows_come_by_size_whatever_the_sign),
        cmocka_unit_test(an_inlined_leaf_is_the_innermost_call),
        cmocka_unit_test(what_has_no_name_goes_by_file_or_address),
        cmocka_unit_test(functions_of_one_name_in_two_files_are_two),
        cmocka_unit_test(functions_without_samples_have_no_row),
        cmocka_unit_test(samples_without_frames_count_in_the_total_only),
        cmocka_unit_test(by_line_the_same_function_has_several_rows),
        cmocka_unit_test(by_module_all_of_a_file_is_one_row_named_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
