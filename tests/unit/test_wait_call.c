#include "collect/wait_call.h"

#include <linux/futex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

static void calls_have_names_and_some_a_descriptor(void **state)
{
    const uint64_t arguments[6] = {7, 8};
    (void)state;
    struct ph_wait_call wait = ph_wait_call_decode(SYS_epoll_pwait, arguments);
    assert_string_equal(wait.name, "epoll_pwait");
    assert_int_equal(wait.fd, 7);
    wait = ph_wait_call_decode(SYS_recvfrom, arguments);
    assert_string_equal(wait.name, "recvfrom");
    assert_int_equal(wait.fd, 7);
    wait = ph_wait_call_decode(SYS_clock_nanosleep, arguments);
    assert_string_equal(wait.name, "clock_nanosleep");
    assert_int_equal(wait.fd, -1);
}

static void no_call_and_unknown_calls_have_no_name(void **state)
{
    const uint64_t arguments[6] = {7};
    const long none[] = {-1, 100000, 0x7fffffff};
    (void)state;
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        assert_null(ph_wait_call_decode(none[i], arguments).name);
        assert_int_equal(ph_wait_call_decode(none[i], arguments).fd, -1);
    }
}

/* glibc's locks wait while the word is 2; its conditions and semaphores otherwise. */
static void locks_are_told_from_other_futexes(void **state)
{
    const uint64_t lock[6] = {0x1000, FUTEX_WAIT_PRIVATE, 2};
    const uint64_t robust[6] = {0x1000, FUTEX_WAIT, 0x80000123};
    const uint64_t inheriting[6] = {0x1000, FUTEX_LOCK_PI_PRIVATE, 0};
    const uint64_t condition[6] = {0x1000, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 2};
    (void)state;
    assert_int_equal(ph_wait_call_decode(SYS_futex, lock).futex, 0x1000);
    assert_true(ph_wait_call_decode(SYS_futex, lock).is_lock);
    assert_true(ph_wait_call_decode(SYS_futex, lock).is_mutex_at_all);
    assert_false(ph_wait_call_decode(SYS_futex, robust).is_lock);
    assert_true(ph_wait_call_decode(SYS_futex, robust).is_mutex_at_all);
    assert_true(ph_wait_call_decode(SYS_futex, inheriting).is_lock);
    assert_false(ph_wait_call_decode(SYS_futex, condition).is_mutex_at_all);
}

static void ppoll_is_about_a_descriptor_only_if_it_has_one(void **state)
{
    const uint64_t one[6] = {0x1000, 1}, two[6] = {0x1000, 2};
    (void)state;
    assert_int_equal(ph_wait_call_decode(SYS_ppoll, one).poll_fds, 0x1000);
    assert_int_equal(ph_wait_call_decode(SYS_ppoll, two).poll_fds, 0);
}

static void the_kernels_function_tells_the_call_where_its_number_is_hidden(void **state)
{
    (void)state;
    assert_string_equal(ph_wait_call_of_wchan("ep_poll"), "epoll_wait");
    assert_null(ph_wait_call_of_wchan("0"));
    assert_null(ph_wait_call_of_wchan(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_have_names_and_some_a_descriptor),
        cmocka_unit_test(no_call_and_unknown_calls_have_no_name),
        cmocka_unit_test(locks_are_told_from_other_futexes),
        cmocka_unit_test(ppoll_is_about_a_descriptor_only_if_it_has_one),
        cmocka_unit_test(the_kernels_function_tells_the_call_where_its_number_is_hidden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
