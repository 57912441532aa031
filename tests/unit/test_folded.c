#include "hostile.h"
#include "model/check.h"
#include "model/folded.h"
#include "rich.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void expect_text(const struct ph_profile *profile, uint32_t type, const char *wanted)
{
    struct ph_buf out = PH_BUF_INIT;
    assert_int_equal(ph_folded_write(profile, type, &out), 0);
    assert_string_equal(out.data ? out.data : "", wanted);
    ph_buf_fini(&out);
}

static struct ph_profile *read_text(const char *text)
{
    struct ph_profile *profile = NULL;
    struct ph_error error = {0};
    if (ph_folded_read(text, strlen(text), "space", "bytes", &profile, &error) < 0)
        fail_msg("%s", error.text);
    assert_int_equal(ph_profile_check(profile, &error), 0);
    return profile;
}

static int parse(const char *bytes, size_t size_bytes, struct ph_error *error)
{
    struct ph_profile *profile = NULL;
    int status = ph_folded_read(bytes, size_bytes, "space", "bytes", &profile, error);
    ph_profile_free(profile);
    return status;
}

static void stacks_are_written_root_first(void **state)
{
    struct ph_profile *profile = ph_profile_new();
    ph_profile_add_type(profile, "objects", "count");
    ph_profile_add_type(profile, "space", "bytes");
    uint32_t frames[] = {rich_named(profile, "parse(int, char)"), rich_named(profile, "serve"),
                         rich_named(profile, "main")};
    ph_profile_add_sample(profile, frames, 3, NULL, 0, (const int64_t[]){3, 4096});
    ph_profile_add_sample(profile, frames + 1, 2, NULL, 0, (const int64_t[]){0, -7});
    expect_text(profile, 0, "main;serve;parse(int, char) 3\n");
    expect_text(profile, 1, "main;serve;parse(int, char) 4096\nmain;serve -7\n");
    ph_profile_free(profile);
}

static void inlined_calls_are_frames_and_places_stand_for_names(void **state)
{
    struct ph_profile *profile = rich_profile();
    expect_text(profile, 0,
                "0xffffffffffffffff;libc.so.6+0x1abc;main;serve;parse<int> -9223372036854775805\n[unknown] 3\n");
    expect_text(profile, 1,
                "0xffffffffffffffff;libc.so.6+0x1abc;main;serve;parse<int> 9223372036854771711\n"
                "0xffffffffffffffff;libc.so.6+0x1abc 7\n[unknown] 3\n");
    ph_profile_free(profile);
}

static void names_cannot_break_a_line(void **state)
{
    struct ph_profile *profile = ph_profile_new();
    ph_profile_add_type(profile, "space", "bytes");
    rich_add(profile, (const char *const[]){"a;b\nc\rd", " \r", "", "main", NULL}, 1);
    expect_text(profile, 0, "main;0x0;0x0;a:b c d 1\n");
    ph_profile_free(profile);
}

static void equal_lines_are_one_and_may_cancel_out(void **state)
{
    struct ph_profile *profile = ph_profile_new();
    ph_profile_add_type(profile, "space", "bytes");
    rich_add(profile, (const char *const[]){"a;b", "main", NULL}, 5);
    rich_add(profile, (const char *const[]){"c", "main", NULL}, 1);
    rich_add(profile, (const char *const[]){"a:b", "main", NULL}, 6);
    expect_text(profile, 0, "main;a:b 11\nmain;c 1\n");
    rich_add(profile, (const char *const[]){"a\nb", "main", NULL}, 2);
    rich_add(profile, (const char *const[]){"a\rb", "main", NULL}, -2);
    expect_text(profile, 0, "main;a:b 11\nmain;c 1\n");
    ph_profile_free(profile);
}

static void nothing_folds_to_nothing(void **state)
{
    struct ph_profile *profile = ph_profile_new();
    ph_profile_add_type(profile, "space", "bytes");
    expect_text(profile, 0, "");
    ph_profile_free(profile);
    profile = read_text("");
    assert_int_equal(profile->sample_count, 0);
    ph_profile_free(profile);
}

static void lines_are_read_leaf_first(void **state)
{
    struct ph_profile *profile =
        read_text("main;operator new(unsigned long);a b  4096\n\n \nmain -5\r\nmain 1\nmain;main 0");
    assert_int_equal(profile->type_count, 1);
    assert_string_equal(ph_profile_text(profile, profile->types[0].type), "space");
    assert_string_equal(ph_profile_text(profile, profile->types[0].unit), "bytes");
    assert_int_equal(profile->sample_count, 3);
    assert_int_equal(profile->samples[0].frame_count, 3);
    static const char *const names[] = {"a b", "operator new(unsigned long)", "main"};
    for (uint32_t i = 0; i < 3; i++) {
        const struct ph_location *location = ph_profile_location(profile, profile->frames[i]);
        const struct ph_function *function = &profile->functions[profile->lines[location->first_line].function - 1];
        assert_string_equal(ph_profile_text(profile, function->name), names[i]);
    }
    assert_int_equal(ph_profile_values(profile, 0)[0], 4096);
    assert_int_equal(ph_profile_values(profile, 1)[0], -4);
    assert_int_equal(profile->function_count, 3);
    ph_profile_free(profile);
}

static void what_is_written_is_read_back(void **state)
{
    static const char text[] = "main;serve;parse 4096\nmain;serve 9223372036854775807\nmain -1\n";
    struct ph_profile *profile = read_text(text);
    expect_text(profile, 0, text);
    ph_profile_free(profile);
}

static void refuse(const char *text, const char *error_text)
{
    hostile_refuse(parse, text, strlen(text), -EINVAL, error_text);
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
    refuse("main", "line 1, column 1: expected a count of at most 63 bits behind the stack");
    refuse("main 1\nmain;a b\n", "line 2, column 8: expected a count of at most 63 bits behind the stack");
    refuse("main 9223372036854775808",
           "line 1, column 25: expected a count of at most 63 bits behind the stack, but the "
           "text ends here");
    refuse("main 1.5\n", "line 1, column 7: expected a count of at most 63 bits behind the stack");
    refuse("main --1\n", "line 1, column 7: expected a count of at most 63 bits behind the stack");
    refuse("main;;a 1\n", "line 1, column 6: expected the name of a function");
    refuse(";a 1\n", "line 1, column 1: expected the name of a function");
    refuse("main; 1\n", "line 1, column 6: expected the name of a function");
    refuse("a 1\n 7\n", "line 2, column 1: expected the name of a function");
}

static void texts_cut_anywhere_are_refused_or_shorter(void **state)
{
    static const char text[] = "main;serve;parse 4096\nmain;operator new(unsigned long) 12\r\nmain -5\n";
    assert_true(hostile_cut(parse, text, sizeof(text) - 1) > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stacks_are_written_root_first),
        cmocka_unit_test(inlined_calls_are_frames_and_places_stand_for_names),
        cmocka_unit_test(names_cannot_break_a_line),
        cmocka_unit_test(equal_lines_are_one_and_may_cancel_out),
        cmocka_unit_test(nothing_folds_to_nothing),
        cmocka_unit_test(lines_are_read_leaf_first),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(what_is_wrong_is_told_with_its_place),
        cmocka_unit_test(texts_cut_anywhere_are_refused_or_shorter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
