#include "tools/proc_status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static void name_parent_and_effective_user_are_read(void **state)
{
    struct ph_proc_status status;
    ph_proc_status_parse("Name:\tnginx: w\nUmask:\t0022\nTgid:\t7\nPPid:\t1200\nUid:\t0\t33\t34\t35\nGid:\t1\n",
                         &status);
    assert_string_equal(status.name, "nginx: w");
    assert_int_equal(status.ppid, 1200);
    assert_int_equal(status.user, 33);
}

static void what_is_missing_is_unknown(void **state)
{
    static const char *const texts[] = {"", "\n\n", "Name", "XName:\tx\nTracerPid:\t5",
                                        "Uid:\t1\nPPid:\t-7\nName:\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct ph_proc_status status;
        ph_proc_status_parse(texts[i], &status);
        assert_string_equal(status.name, "");
        assert_int_equal(status.ppid, 0);
        assert_true(status.user == (uid_t)-1);
    }
}

static void a_process_that_may_not_be_dumped_is_still_its_users(void **state)
{
    struct ph_proc_status status;
    int before = prctl(PR_GET_DUMPABLE);
    prctl(PR_SET_DUMPABLE, 0); /* as after setuid(): /proc/self belongs to root then */
    int failed = ph_proc_status_read(getpid(), &status);
    prctl(PR_SET_DUMPABLE, before);
    assert_int_equal(failed, 0);
    assert_int_equal(status.user, geteuid());
    assert_int_equal(status.ppid, getppid());
    assert_int_equal(strncmp(status.name, "test_proc_statu", 15), 0);
}

static void a_process_that_is_not_there_is_told(void **state)
{
    struct ph_proc_status status;
    assert_int_equal(ph_proc_status_read(0x7fffffff, &status), -ENOENT);
    assert_string_equal(status.name, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name_parent_and_effective_user_are_read),
        cmocka_unit_test(what_is_missing_is_unknown),
        cmocka_unit_test(a_process_that_may_not_be_dumped_is_still_its_users),
        cmocka_unit_test(a_process_that_is_not_there_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
