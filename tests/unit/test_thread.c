/* The thread registry: who lives, since when, made by whom. The probe is linked into this program. */
#include "probe/thread.h"

#include "probe/activate.h"
#include "probe/allocator.h"
#include "probe/fork.h"
#include "probe/thread_table.h"

#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define RECORDS 512

static struct ph_thread records[RECORDS];
static sem_t started, finish;
static pid_t seen_tid;
static sigset_t seen_mask;
static char seen_name[16];

static void *wait_until_finish(void *argument)
{
    int here = 0;
    seen_tid = gettid();
    *(uintptr_t *)argument = (uintptr_t)&here;
    pthread_sigmask(SIG_SETMASK, NULL, &seen_mask);
    prctl(PR_GET_NAME, seen_name);
    sem_post(&started);
    sem_wait(&finish);
    return NULL;
}

static const struct ph_thread *find(pid_t tid)
{
    size_t count = ph_threads(records, RECORDS);
    for (size_t i = 0; i < count && i < RECORDS; i++)
        if (records[i].tid == tid)
            return &records[i];
    return NULL;
}

/* A detached or exiting thread takes its time: at most five seconds here. */
static bool gone(pid_t tid)
{
    for (int i = 0; i < 500 && find(tid); i++)
        usleep(10000);
    return !find(tid);
}

static void the_main_thread_is_listed(void **state)
{
    (void)state;
    const struct ph_thread *record = find(getpid());
    assert_non_null(record);
    assert_false(record->own);
}

static void a_thread_is_listed_with_its_stack_and_maker_while_it_lives(void **state)
{
    (void)state;
    pthread_t thread;
    uintptr_t somewhere = 0;
    assert_int_equal(pthread_create(&thread, NULL, wait_until_finish, &somewhere), 0);
    sem_wait(&started);
    const struct ph_thread *record = find(seen_tid);
    assert_non_null(record);
    assert_false(record->own);
    assert_true(record->started_ns > 0);
    assert_true(record->stack_low < somewhere && somewhere < record->stack_high);
    assert_true(record->frame_count > 0);
    sem_post(&finish);
    pthread_join(thread, NULL);
    assert_null(find(seen_tid));
}

static void *exit_early(void *argument)
{
    seen_tid = gettid();
    pthread_exit(argument);
}

static void pthread_exit_and_cancellation_end_a_record(void **state)
{
    (void)state;
    pthread_t thread;
    uintptr_t somewhere;
    assert_int_equal(pthread_create(&thread, NULL, exit_early, NULL), 0);
    pthread_join(thread, NULL);
    assert_null(find(seen_tid));

    assert_int_equal(pthread_create(&thread, NULL, wait_until_finish, &somewhere), 0);
    sem_wait(&started);
    pthread_cancel(thread);
    pthread_join(thread, NULL);
    assert_null(find(seen_tid));
}

static void a_thread_of_ours_is_named_and_takes_no_signal(void **state)
{
    (void)state;
    uintptr_t somewhere;
    assert_int_equal(ph_own_thread("porthole/test", wait_until_finish, &somewhere), 0);
    sem_wait(&started);
    const struct ph_thread *record = find(seen_tid);
    assert_non_null(record);
    assert_true(record->own);
    assert_string_equal(seen_name, "porthole/test");
    assert_true(sigismember(&seen_mask, SIGTERM) && sigismember(&seen_mask, SIGCHLD));
    sigset_t mine;
    pthread_sigmask(SIG_SETMASK, NULL, &mine);
    assert_false(sigismember(&mine, SIGTERM)); /* the creator's mask is as it was */
    sem_post(&finish);
    assert_true(gone(seen_tid));
}

static void a_forked_child_lists_one_thread(void **state)
{
    (void)state;
    pthread_t thread;
    uintptr_t somewhere;
    assert_int_equal(pthread_create(&thread, NULL, wait_until_finish, &somewhere), 0);
    sem_wait(&started);
    pid_t pid = fork();
    if (pid == 0) {
        ph_threads_after_fork();
        _exit(ph_threads(records, RECORDS) == 1 && records[0].tid == getpid() ? 0 : 1);
    }
    int status;
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    sem_post(&finish);
    pthread_join(thread, NULL);
}

static void *nothing(void *argument)
{
    return argument;
}

static void records_are_used_again(void **state)
{
    (void)state;
    uint32_t before = 0;
    for (int round = 0; round < 400; round++) {
        pthread_t threads[8];
        for (size_t i = 0; i < 8; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, nothing, NULL), 0);
        for (size_t i = 0; i < 8; i++)
            pthread_join(threads[i], NULL);
        if (round == 0)
            before = ph_thread_slot_count();
    }
    assert_true(ph_thread_slot_count() <= before + 8);
}

static void more_threads_than_room_are_counted_not_written(void **state)
{
    (void)state;
    struct ph_thread one;
    pthread_t thread;
    uintptr_t somewhere;
    assert_int_equal(pthread_create(&thread, NULL, wait_until_finish, &somewhere), 0);
    sem_wait(&started);
    assert_int_equal(ph_threads(&one, 1), 2);
    assert_int_equal(one.tid, getpid());
    sem_post(&finish);
    pthread_join(thread, NULL);
}

static void one_record_is_read_again_as_long_as_its_thread_lives(void **state)
{
    struct ph_thread again = {.tid = 0};
    pthread_t thread;
    uintptr_t somewhere;
    (void)state;
    assert_true(ph_thread_again(find(getpid())->slot, getpid(), &again));
    assert_int_equal(again.tid, getpid());
    assert_int_equal(pthread_create(&thread, NULL, wait_until_finish, &somewhere), 0);
    sem_wait(&started);
    pid_t tid = seen_tid;
    uint32_t slot = find(tid)->slot;
    assert_true(ph_thread_again(slot, tid, &again));
    assert_int_equal(again.tid, tid);
    assert_int_equal(again.slot, slot);
    assert_true(somewhere >= again.stack_low && somewhere < again.stack_high);
    assert_false(ph_thread_again(slot, tid + 1, &again));
    assert_false(ph_thread_again(UINT32_MAX, tid, &again));
    sem_post(&finish);
    pthread_join(thread, NULL);
    assert_true(gone(tid));
    assert_false(ph_thread_again(slot, tid, &again));
}

static uint32_t labels_of(pid_t tid)
{
    const struct ph_thread *thread = find(tid);
    return thread ? thread->label_set : UINT32_MAX;
}

/* A child of this thread has what it had, and its parent's main thread is not there. */
static int labels_of_forked_child(void)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        ph_threads_after_fork();
        _exit((int)labels_of(getpid()));
    }
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}

static void *carry_seven(void *ret_of_child)
{
    assert_int_equal(labels_of(gettid()), 0);
    ph_thread_carry_labels(7);
    *(int *)ret_of_child = labels_of_forked_child();
    seen_tid = gettid();
    sem_post(&started);
    sem_wait(&finish);
    return NULL;
}

static void labels_are_those_of_one_thread(void **state)
{
    (void)state;
    pthread_t thread;
    int of_child;
    ph_thread_carry_labels(3);
    for (int round = 0; round < 2; round++) { /* the second has the slot of the first */
        assert_int_equal(pthread_create(&thread, NULL, carry_seven, &of_child), 0);
        sem_wait(&started);
        assert_int_equal(labels_of(getpid()), 3);
        assert_int_equal(labels_of(seen_tid), 7);
        assert_int_equal(of_child, 7);
        assert_int_equal(labels_of_forked_child(), 3);
        sem_post(&finish);
        pthread_join(thread, NULL);
        assert_true(gone(seen_tid));
    }
    ph_thread_carry_labels(0);
    assert_int_equal(labels_of(getpid()), 0);
}

extern unsigned je_narenas_auto;

static void *body_that_ends(void *argument)
{
    return argument;
}

static void a_forked_child_has_as_many_arenas_to_choose_from_as_its_parent(void **state)
{
    (void)state;
    int status = -1;
    unsigned count = je_narenas_auto;
    ph_allocator_init(&ph_probe);
    ph_fork_init();
    assert_int_equal(ph_own_thread("porthole/test", body_that_ends, NULL), 0);
    usleep(100000);
    je_narenas_auto = 1; /* as it is for a moment while a thread of ours begins */
    pid_t child = fork();
    if (child == 0)
        _exit(je_narenas_auto == count ? 0 : 1);
    je_narenas_auto = count;
    waitpid(child, &status, 0);
    assert_true(count > 1);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_main_thread_is_listed),
        cmocka_unit_test(a_thread_is_listed_with_its_stack_and_maker_while_it_lives),
        cmocka_unit_test(pthread_exit_and_cancellation_end_a_record),
        cmocka_unit_test(a_thread_of_ours_is_named_and_takes_no_signal),
        cmocka_unit_test(a_forked_child_lists_one_thread),
        cmocka_unit_test(records_are_used_again),
        cmocka_unit_test(labels_are_those_of_one_thread),
        cmocka_unit_test(a_forked_child_has_as_many_arenas_to_choose_from_as_its_parent),
        cmocka_unit_test(more_threads_than_room_are_counted_not_written),
        cmocka_unit_test(one_record_is_read_again_as_long_as_its_thread_lives),
    };
    ph_thread_init();
    sem_init(&started, 0, 0);
    sem_init(&finish, 0, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
