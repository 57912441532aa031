#include "tools/thread_groups.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static struct ph_thread_frame work = {
    .address = 0x7f01, .offset = 0x10, .function = "work", .module = "bankd", .file = ""};
static struct ph_thread_frame moved = {
    .address = 0x9901, .offset = 0x10, .function = "work", .module = "bankd", .file = ""};
static struct ph_thread_frame later = {
    .address = 0x7f02, .offset = 0x11, .function = "work", .module = "bankd", .file = ""};
static struct ph_thread_frame nowhere = {.address = 0x7f01, .function = "", .module = "", .file = ""};
static struct ph_thread_frame nowhere_else = {.address = 0x7f02, .function = "", .module = "", .file = ""};

static struct ph_thread_row row(int64_t tid, const struct ph_thread_frame *frame)
{
    return (struct ph_thread_row){
        .pid = 1, .tid = tid, .frames = frame, .frame_count = frame ? 1 : 0, .is_shown = true};
}

static struct ph_thread_groups groups_of(struct ph_thread_row *rows, size_t count, bool is_joined)
{
    struct ph_thread_answer answer = {.rows = rows, .row_count = count};
    struct ph_thread_groups groups;
    assert_int_equal(ph_thread_groups_make(&answer, is_joined, &groups), 0);
    return groups;
}

static void equal_stacks_are_one_group_wherever_their_module_is(void **state)
{
    struct ph_thread_row rows[] = {row(4, &later), row(3, &work), row(2, &moved), row(1, &work)};
    struct ph_thread_groups groups = groups_of(rows, 4, true);
    assert_int_equal(groups.count, 2);
    assert_int_equal(groups.groups[0].count, 3);
    assert_int_equal(groups.groups[0].members[0]->tid, 1);
    assert_int_equal(groups.groups[0].members[2]->tid, 3);
    assert_int_equal(groups.groups[1].members[0]->tid, 4);
    ph_thread_groups_fini(&groups);
}

static void without_a_module_the_address_counts(void **state)
{
    struct ph_thread_row rows[] = {row(1, &nowhere), row(2, &nowhere_else), row(3, &nowhere)};
    struct ph_thread_groups groups = groups_of(rows, 3, true);
    assert_int_equal(groups.count, 2);
    assert_int_equal(groups.groups[0].count, 2);
    ph_thread_groups_fini(&groups);
}

static void what_was_inlined_at_a_place_counts_too(void **state)
{
    struct ph_thread_frame inlined = work;
    inlined.function = "inlined";
    struct ph_thread_row rows[] = {row(1, &work), row(2, &inlined)};
    struct ph_thread_groups groups = groups_of(rows, 2, true);
    assert_int_equal(groups.count, 2);
    ph_thread_groups_fini(&groups);
}

static void stacks_of_other_depth_are_others(void **state)
{
    struct ph_thread_frame two[] = {work, later};
    struct ph_thread_row rows[] = {row(1, two), row(2, &work)};
    rows[0].frame_count = 2;
    struct ph_thread_groups groups = groups_of(rows, 2, true);
    assert_int_equal(groups.count, 2);
    ph_thread_groups_fini(&groups);
}

static void threads_without_a_stack_are_not_taken_for_equal(void **state)
{
    struct ph_thread_row rows[] = {row(1, NULL), row(2, NULL)};
    struct ph_thread_groups groups = groups_of(rows, 2, true);
    assert_int_equal(groups.count, 2);
    ph_thread_groups_fini(&groups);
}

static void hidden_threads_are_in_no_group(void **state)
{
    struct ph_thread_row rows[] = {row(1, &work), row(2, &work)};
    rows[0].is_shown = false;
    struct ph_thread_groups groups = groups_of(rows, 2, true);
    assert_int_equal(groups.count, 1);
    assert_int_equal(groups.groups[0].count, 1);
    assert_int_equal(groups.groups[0].members[0]->tid, 2);
    ph_thread_groups_fini(&groups);
}

static void not_joined_they_come_by_process_and_number(void **state)
{
    struct ph_thread_row rows[] = {row(3, &work), row(9, &work), row(1, &work)};
    rows[1].pid = 0;
    struct ph_thread_groups groups = groups_of(rows, 3, false);
    assert_int_equal(groups.count, 3);
    assert_int_equal(groups.groups[0].members[0]->tid, 9);
    assert_int_equal(groups.groups[1].members[0]->tid, 1);
    assert_int_equal(groups.groups[2].members[0]->tid, 3);
    ph_thread_groups_fini(&groups);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_stacks_are_one_group_wherever_their_module_is),
        cmocka_unit_test(without_a_module_the_address_counts),
        cmocka_unit_test(what_was_inlined_at_a_place_counts_too),
        cmocka_unit_test(stacks_of_other_depth_are_others),
        cmocka_unit_test(threads_without_a_stack_are_not_taken_for_equal),
        cmocka_unit_test(hidden_threads_are_in_no_group),
        cmocka_unit_test(not_joined_they_come_by_process_and_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
