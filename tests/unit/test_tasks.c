#include "task/tasks.h"

#include "threads_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int setup(void **state)
{
    (void)state;
    fixture_begin();
    return 0;
}

static struct ph_task_look parse(const char *text)
{
    struct ph_task_look look = {.call = -7};
    assert_true(ph_task_look_parse(text, strlen(text), &look));
    return look;
}

static void the_kernel_tells_call_arguments_and_registers(void **state)
{
    struct ph_task_look look = parse("232 0x5 0x7ffe10 0x200 0xffffffffffffffff 0x0 0x8 0x7ffe08 0x7f12\n");
    (void)state;
    assert_true(look.is_blocked);
    assert_int_equal(look.call, 232);
    assert_int_equal(look.arguments[0], 5);
    assert_int_equal(look.arguments[3], UINT64_MAX);
    assert_int_equal(look.arguments[5], 8);
    assert_int_equal(look.sp, 0x7ffe08);
    assert_int_equal(look.pc, 0x7f12);
}

static void a_thread_may_be_blocked_outside_of_calls(void **state)
{
    struct ph_task_look look = parse("-1 0x7ffe08 0x7f12\n");
    (void)state;
    assert_true(look.is_blocked);
    assert_int_equal(look.call, -1);
    assert_int_equal(look.sp, 0x7ffe08);
    assert_false(parse("running\n").is_blocked);
}

static void what_the_kernel_does_not_write_is_refused_at_every_length(void **state)
{
    const char *text = "0 0x1 0x2 0x3 0x4 0x5 0x6 0x7 0x8";
    struct ph_task_look look;
    (void)state;
    for (size_t length = 0; length < strlen(text); length++)
        assert_false(ph_task_look_parse(text, length, &look));
    assert_false(ph_task_look_parse("-2 0x1 0x2", 10, &look));
    assert_false(ph_task_look_parse("runnin", 6, &look));
}

static void tasks_are_those_of_the_host_by_number_with_their_names(void **state)
{
    struct thread threads[3] = {{.body = body_semaphore, .name = "worker (1)"},
                                {.body = body_semaphore, .own = true},
                                {.body = body_semaphore, .waits_since_ns = 5, .wait_frame = 6, .label_set = 7}};
    struct ph_tasks tasks = {0};
    (void)state;
    for (int i = 0; i < 3; i++)
        thread_start_blocked(&threads[i]);
    assert_int_equal(ph_tasks_read(&tasks, &fixture_probe, NULL), 0);
    assert_int_equal(tasks.count, 2);
    assert_string_equal(ph_tasks_find(&tasks, threads[0].tid)->name, "worker (1)");
    assert_null(ph_tasks_find(&tasks, threads[1].tid));
    const struct ph_task *task = ph_tasks_find(&tasks, threads[2].tid);
    assert_int_equal(task->waits_since_ns, 5);
    assert_int_equal(task->wait_frame, 6);
    assert_int_equal(task->label_set, 7);
    for (size_t i = 1; i < tasks.count; i++)
        assert_true(tasks.tasks[i - 1].tid < tasks.tasks[i].tid);
    threads[2].waits_since_ns = 8;
    assert_int_equal(ph_tasks_note(&tasks, threads[2].tid)->waits_since_ns, 8);
    assert_null(ph_tasks_note(&tasks, threads[1].tid));
    fixture_release();
    for (int i = 0; i < 3; i++)
        thread_join(&threads[i]);
    assert_int_equal(ph_tasks_read(&tasks, &fixture_probe, NULL), 0);
    assert_int_equal(tasks.count, 0);
    ph_tasks_fini(&tasks);
}

/* Enough for every array to grow, also when it is read again. */
static void names_stay_with_their_threads_while_others_come_and_go(void **state)
{
    enum { COUNT = 150 };
    static struct thread threads[COUNT];
    static char names[COUNT][PH_TASK_NAME_MAX];
    struct ph_tasks tasks = {0};
    (void)state;
    for (int round = 0; round < 3; round++) {
        for (int i = round * COUNT / 3; i < (round + 1) * COUNT / 3; i++) {
            sprintf(names[i], "thread %d", i);
            threads[i] = (struct thread){.body = body_semaphore, .name = names[i]};
            thread_start_blocked(&threads[i]);
        }
        assert_int_equal(ph_tasks_read(&tasks, &fixture_probe, NULL), 0);
        for (int i = 0; i < (round + 1) * COUNT / 3; i++)
            assert_string_equal(ph_tasks_find(&tasks, threads[i].tid)->name, names[i]);
    }
    ph_tasks_fini(&tasks);
    fixture_release();
    for (int i = 0; i < COUNT; i++)
        thread_join(&threads[i]);
}

static void a_blocked_thread_has_not_run_until_it_does(void **state)
{
    struct thread thread = {.body = body_semaphore};
    struct ph_task_look look;
    (void)state;
    thread_start_blocked(&thread);
    assert_int_equal(ph_task_look(-1, thread.tid, &look), 0);
    assert_true(look.is_blocked);
    assert_true(look.sp != 0 && look.pc != 0);
    assert_true(look.switches > 0);
    assert_int_equal(ph_task_look_again(-1, thread.tid, &look), 0);
    struct ph_task_look earlier = look;
    earlier.switches--;
    assert_int_equal(ph_task_look_again(-1, thread.tid, &earlier), -EAGAIN);
    fixture_release();
    thread_join(&thread);
    while (ph_task_look_again(-1, thread.tid, &look) ==
           -EAGAIN) /* it is joined before the kernel has forgotten it */
        usleep(1000);
    assert_int_equal(ph_task_look_again(-1, thread.tid, &look), -ESRCH);
    ph_task_look_done(&look);
    assert_int_equal(ph_task_look_again(-1, thread.tid, &look), -ESRCH);
    assert_int_equal(ph_task_look(-1, thread.tid, &look), -ESRCH);
}

/* The next that is opened has the lowest number that is free. */
static int next_descriptor(void)
{
    int fd = dup(STDERR_FILENO);
    close(fd);
    return fd;
}

static void a_look_holds_a_descriptor_until_it_is_done(void **state)
{
    struct thread blocked = {.body = body_semaphore}, running = {.body = body_spin};
    struct ph_task_look look;
    struct ph_tasks tasks = {0};
    (void)state;
    thread_start_blocked(&blocked);
    thread_start_spinning(&running);
    assert_int_equal(ph_tasks_read(&tasks, &fixture_probe, NULL), 0);
    int folder = ph_tasks_folder(&tasks), before = next_descriptor();
    assert_int_equal(ph_task_look(folder, blocked.tid, &look), 0);
    assert_int_not_equal(next_descriptor(), before);
    assert_int_equal(ph_task_look_again(folder, blocked.tid, &look), 0);
    ph_task_look_done(&look);
    ph_task_look_done(&look);
    assert_int_equal(ph_task_look_again(folder, blocked.tid, &look), 0);
    assert_int_equal(ph_task_look_light(folder, blocked.tid, &look), 0);
    ph_task_look_done(&look);
    assert_int_equal(ph_task_look(folder, running.tid, &look), 0);
    assert_int_equal(ph_task_look(folder, 1 << 30, &look), -ESRCH);
    assert_int_equal(next_descriptor(), before);
    ph_tasks_fini(&tasks);
    assert_int_equal(ph_tasks_folder(&tasks), -1);
    fixture_release();
    thread_join(&blocked);
    thread_join(&running);
}

static void a_thread_that_runs_is_not_blocked_and_uses_time(void **state)
{
    struct thread thread = {.body = body_spin};
    struct ph_task_look look;
    char letter;
    uint64_t before_ns, after_ns;
    (void)state;
    thread_start_spinning(&thread);
    assert_int_equal(ph_task_look(-1, thread.tid, &look), 0);
    assert_false(look.is_blocked);
    assert_int_equal(ph_task_times(-1, thread.tid, &letter, &before_ns), 0);
    assert_int_equal(letter, 'R');
    do
        assert_int_equal(ph_task_times(-1, thread.tid, &letter, &after_ns), 0);
    while (after_ns == before_ns);
    assert_true(after_ns > before_ns);
    fixture_release();
    thread_join(&thread);
}

static void a_note_tells_the_callers_registers_of_a_blocked_thread(void **state)
{
    const uintptr_t frame[2] = {0x1111, 0x2222};
    struct ph_task task = {.wait_frame = (uintptr_t)frame, .waits_since_ns = 1};
    struct ph_task_look look = {.is_blocked = true, .switches = 3};
    struct ph_memory memory;
    (void)state;
    ph_memory_open(&memory);
    assert_true(ph_task_look_noted(&memory, &task, &look));
    assert_true(look.is_of_caller);
    assert_int_equal(look.bp, 0x1111);
    assert_int_equal(look.pc, 0x2222);
    assert_int_equal(look.sp, (uintptr_t)frame + sizeof(frame));
    look.is_blocked = false;
    assert_false(ph_task_look_noted(&memory, &task, &look));
    look = (struct ph_task_look){.is_blocked = true, .switches = 3};
    task.wait_frame = 8; /* nothing is mapped there */
    assert_false(ph_task_look_noted(&memory, &task, &look));
    task.wait_frame = (uintptr_t)frame;
    task.waits_since_ns = 0; /* that wait is over */
    assert_false(ph_task_look_noted(&memory, &task, &look));
    ph_memory_close(&memory);
}

int main(void)
{
    alarm(60);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kernel_tells_call_arguments_and_registers),
        cmocka_unit_test(a_thread_may_be_blocked_outside_of_calls),
        cmocka_unit_test(what_the_kernel_does_not_write_is_refused_at_every_length),
        cmocka_unit_test_setup(tasks_are_those_of_the_host_by_number_with_their_names, setup),
        cmocka_unit_test_setup(names_stay_with_their_threads_while_others_come_and_go, setup),
        cmocka_unit_test_setup(a_blocked_thread_has_not_run_until_it_does, setup),
        cmocka_unit_test_setup(a_look_holds_a_descriptor_until_it_is_done, setup),
        cmocka_unit_test_setup(a_thread_that_runs_is_not_blocked_and_uses_time, setup),
        cmocka_unit_test(a_note_tells_the_callers_registers_of_a_blocked_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
