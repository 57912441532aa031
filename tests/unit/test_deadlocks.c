#include "collect/deadlocks.h"

#include "model/labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct ph_profile *dump;
static char found_text[256];

static int setup(void **state)
{
    (void)state;
    found_text[0] = '\0';
    dump = ph_profile_new();
    ph_profile_add_type(dump, "threads", "count");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ph_profile_free(dump);
    return 0;
}

/* @pid: NULL for a dump of one process. @owner: 0 for one that waits for nobody. */
static void add_thread(const char *pid, int64_t tid, int64_t owner)
{
    struct ph_label labels[3];
    uint32_t count = 0;
    const int64_t one = 1;
    labels[count++] = (struct ph_label){.key = ph_profile_string(dump, PH_LABEL_TID), .number = tid};
    if (owner)
        labels[count++] = (struct ph_label){.key = ph_profile_string(dump, PH_LABEL_OWNER_TID), .number = owner};
    if (pid)
        labels[count++] =
            (struct ph_label){.key = ph_profile_string(dump, PH_LABEL_PID), .text = ph_profile_string(dump, pid)};
    ph_profile_add_sample(dump, NULL, 0, labels, count, &one);
}

static void note(void *context, int64_t pid, const int64_t *tids, size_t count)
{
    char *end = found_text + strlen(found_text);
    (void)context;
    end += sprintf(end, "%d:", (int)pid);
    for (size_t i = 0; i < count; i++)
        end += sprintf(end, " %d", (int)tids[i]);
    sprintf(end, ";");
}

static const char *found(void)
{
    ph_thread_dump_deadlocks(dump, note, NULL);
    return found_text;
}

static void a_cycle_is_told_once_in_the_order_of_waiting(void **state)
{
    (void)state;
    add_thread(NULL, 30, 10);
    add_thread(NULL, 10, 20);
    add_thread(NULL, 20, 30);
    assert_string_equal(found(), "0: 10 20 30;");
}

static void who_only_waits_for_the_cycle_is_not_in_it(void **state)
{
    (void)state;
    add_thread(NULL, 1, 10);
    add_thread(NULL, 2, 1);
    add_thread(NULL, 10, 20);
    add_thread(NULL, 20, 10);
    add_thread(NULL, 99, 20);
    assert_string_equal(found(), "0: 10 20;");
}

static void a_chain_is_no_deadlock(void **state)
{
    (void)state;
    add_thread(NULL, 1, 2);
    add_thread(NULL, 2, 3);
    add_thread(NULL, 3, 0);
    add_thread(NULL, 4, 3);
    assert_string_equal(found(), "");
}

static void a_thread_that_waits_for_itself_is_one(void **state)
{
    (void)state;
    add_thread(NULL, 5, 5);
    assert_string_equal(found(), "0: 5;");
}

static void threads_of_other_processes_are_others(void **state)
{
    (void)state;
    add_thread("100", 1, 2);
    add_thread("200", 2, 1);
    assert_string_equal(found(), "");
    add_thread("100", 2, 1);
    assert_string_equal(found(), "100: 1 2;");
}

static void each_of_several_is_told(void **state)
{
    (void)state;
    add_thread("7", 1, 2);
    add_thread("7", 2, 1);
    add_thread("7", 3, 4);
    add_thread("7", 4, 3);
    assert_string_equal(found(), "7: 1 2;7: 3 4;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_cycle_is_told_once_in_the_order_of_waiting, setup, teardown),
        cmocka_unit_test_setup_teardown(who_only_waits_for_the_cycle_is_not_in_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_chain_is_no_deadlock, setup, teardown),
        cmocka_unit_test_setup_teardown(a_thread_that_waits_for_itself_is_one, setup, teardown),
        cmocka_unit_test_setup_teardown(threads_of_other_processes_are_others, setup, teardown),
        cmocka_unit_test_setup_teardown(each_of_several_is_told, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
