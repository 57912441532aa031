#include "dump_fixture.h"
#include "server/threads_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct ph_profile *dump;
static struct ph_threads_view view;

static void make(const char *pid)
{
    dump = threads_dump(pid);
    assert_int_equal(ph_threads_view_make(dump, &view), 0);
}

static int tear_down(void **state)
{
    ph_threads_view_fini(&view);
    ph_profile_free(dump);
    return 0;
}

static void labels_become_fields(void **state)
{
    make(NULL);
    const struct ph_thread_row *row = ph_threads_view_find(&view, 0, 100);
    assert_non_null(row);
    assert_string_equal(row->name, "main");
    assert_string_equal(row->state, "sleeping");
    assert_string_equal(row->call, "epoll_wait");
    assert_string_equal(row->socket, "tcp 127.0.0.1:80");
    assert_string_equal(row->peer, "127.0.0.1:4000");
    assert_string_equal(row->mutex, "");
    assert_string_equal(row->truncated, "");
    assert_int_equal(row->fd, 7);
    assert_int_equal(row->cpu_ns, 1500000000);
    assert_int_equal(row->since_ns, 4200000000);
    assert_int_equal(row->owner_tid, -1);
    assert_int_equal(row->pid, 0);
    assert_true(ph_thread_row_waits(row));
}

static void what_is_not_known_is_minus_one_and_what_is_zero_is_zero(void **state)
{
    make(NULL);
    assert_int_equal(ph_threads_view_find(&view, 0, 104)->cpu_ns, -1);
    assert_int_equal(ph_threads_view_find(&view, 0, 103)->cpu_ns, 0);
    assert_false(ph_thread_row_waits(ph_threads_view_find(&view, 0, 103)));
    assert_int_equal(ph_threads_view_interrupted(&view), 1);
}

static void threads_come_in_order_of_their_numbers(void **state)
{
    make(NULL);
    assert_int_equal(view.count, 5);
    for (size_t i = 0; i < view.count; i++)
        assert_int_equal(view.order[i]->tid, 100 + (int64_t)i);
    assert_null(ph_threads_view_find(&view, 0, 99));
}

static void in_a_family_a_thread_is_found_by_its_process_too(void **state)
{
    make("90");
    assert_null(ph_threads_view_find(&view, 0, 100));
    assert_int_equal(ph_threads_view_find(&view, 90, 100)->tid, 100);
}

static void who_waits_for_each_other_is_deadlocked(void **state)
{
    make(NULL);
    assert_int_equal(view.deadlock_count, 1);
    assert_int_equal(view.deadlocks[0].count, 2);
    assert_int_equal(view.deadlocks[0].tids[0] + view.deadlocks[0].tids[1], 101 + 102);
}

static void labels_of_the_program_are_told_from_ours(void **state)
{
    make("90");
    const struct ph_sample *sample = ph_threads_view_find(&view, 90, 103)->sample;
    unsigned own_count = 0;
    for (uint32_t i = 0; i < sample->label_count; i++)
        own_count += ph_label_is_own(dump, &dump->labels[sample->first_label + i]);
    assert_int_equal(own_count, sample->label_count - 2); /* request, tenant */
}

static void a_frame_has_its_return_address_and_the_offset_in_the_file(void **state)
{
    make(NULL);
    const struct ph_thread_row *row = ph_threads_view_find(&view, 0, 100);
    struct ph_shown_frame leaf = ph_thread_row_frame(dump, row, 0), caller = ph_thread_row_frame(dump, row, 1);
    assert_int_equal(leaf.address, 0x700020); /* where it is */
    assert_string_equal(leaf.function, "epoll_wait");
    assert_int_equal(caller.address, 0x400030); /* where it returns to */
    assert_int_equal(caller.offset, 0x1030);
    assert_string_equal(caller.module, "/bin/server");
    assert_int_equal(caller.line, 0);
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(labels_become_fields),
        TEST(what_is_not_known_is_minus_one_and_what_is_zero_is_zero),
        TEST(threads_come_in_order_of_their_numbers),
        TEST(in_a_family_a_thread_is_found_by_its_process_too),
        TEST(who_waits_for_each_other_is_deadlocked),
        TEST(labels_of_the_program_are_told_from_ours),
        TEST(a_frame_has_its_return_address_and_the_offset_in_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
