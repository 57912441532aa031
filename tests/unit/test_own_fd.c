/* Porthole's descriptors against a host that closes, replaces and forks. The probe is linked into this program. */
#include "probe/own_fd.h"

#include "probe/counters.h"
#include "probe/guard.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int taken(void)
{
    int fd = ph_own_fd_take(open("/dev/null", O_RDONLY));
    assert_true(fd >= 0);
    return fd;
}

static void give_back(int fd)
{
    ph_tls.own = true;
    assert_int_equal(close(fd), 0);
    ph_tls.own = false;
    assert_false(ph_own_fd_has(fd));
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void own_descriptors_are_high_and_closed_on_exec(void **state)
{
    (void)state;
    int fd = taken();
    assert_true(fd >= 512);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_true(ph_own_fd_has(fd));
    give_back(fd);
    assert_false(is_open(fd));
}

static void a_host_cannot_close_them(void **state)
{
    (void)state;
    int fd = taken();
    uint64_t defended = ph_counters.descriptors_defended;
    errno = 0;
    assert_int_equal(close(fd), -1);
    assert_int_equal(errno, EBADF);
    assert_true(is_open(fd));
    assert_int_equal(ph_counters.descriptors_defended, defended + 1);
    give_back(fd);
}

static void closing_a_range_goes_around_them(void **state)
{
    (void)state;
    int low = taken(), high = taken();
    int host[] = {600, 601, 700};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(dup2(STDIN_FILENO, host[i]), host[i]);
    assert_int_equal(close_range(600, UINT_MAX, 0), 0);
    assert_int_equal(close_range((unsigned)low, (unsigned)high, 0), 0);
    for (size_t i = 0; i < 3; i++)
        assert_false(is_open(host[i]));
    assert_true(is_open(low) && is_open(high));

    errno = 0;
    assert_int_equal(close_range(9, 3, 0), -1);
    assert_int_equal(errno, EINVAL);
    give_back(low);
    give_back(high);
}

static void closefrom_goes_around_them(void **state)
{
    (void)state;
    int fd = taken();
    assert_int_equal(dup2(STDIN_FILENO, fd + 1), fd + 1);
    assert_int_equal(dup2(STDIN_FILENO, 500), 500);
    closefrom(500);
    assert_true(is_open(fd));
    assert_false(is_open(500) || is_open(fd + 1));
    give_back(fd);
}

static void nothing_is_put_in_their_place(void **state)
{
    (void)state;
    int fd = taken();
    errno = 0;
    assert_int_equal(dup2(STDIN_FILENO, fd), -1);
    assert_int_equal(errno, EBUSY);
    assert_int_equal(dup3(STDIN_FILENO, fd, O_CLOEXEC), -1);
    assert_int_equal(errno, EBUSY);
    give_back(fd);
    assert_int_equal(dup2(STDIN_FILENO, fd), fd);
    assert_int_equal(close(fd), 0);
}

static int status_of(pid_t pid)
{
    int status = -1;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_bare_clone_may_close_its_copies(void **state)
{
    (void)state;
    int fd = taken();
    pid_t pid = (pid_t)syscall(SYS_fork);
    if (pid == 0)
        _exit(ph_own_fd_has(fd) || close(fd) != 0 ? 1 : 0);
    assert_int_equal(status_of(pid), 0);
    assert_true(ph_own_fd_has(fd));
    give_back(fd);
}

static void closing_all_of_them_leaves_none(void **state)
{
    (void)state;
    int fds[] = {taken(), taken(), taken()};
    ph_own_fd_before_fork();
    ph_own_fd_after_fork();
    for (size_t i = 0; i < 3; i++)
        assert_false(is_open(fds[i]) || ph_own_fd_has(fds[i]));
    assert_int_equal(ph_own_fd_next(0), PH_OWN_FD_NONE);
}

/* The child of a bare clone() inherits the table of numbers, and may have given them to others. */
static void what_such_a_child_has_at_our_numbers_survives_its_forks(void **state)
{
    (void)state;
    int fd = taken();
    pid_t pid = (pid_t)syscall(SYS_fork);
    if (pid == 0) {
        ph_own_fd_before_fork();
        ph_own_fd_after_fork(); /* as in its child */
        int another = taken();
        bool kept = is_open(fd) && another != fd && !ph_own_fd_has(fd);
        _exit(kept ? 0 : 1);
    }
    assert_int_equal(status_of(pid), 0);
    give_back(fd);
}

static void a_tight_limit_still_gives_a_high_number(void **state)
{
    (void)state;
    struct rlimit before, tight;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    tight = before;
    tight.rlim_cur = 20;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    int fd = taken();
    assert_true(fd > STDERR_FILENO && fd < 20);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    setrlimit(RLIMIT_NOFILE, &before);
    give_back(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_descriptors_are_high_and_closed_on_exec),
        cmocka_unit_test(a_host_cannot_close_them),
        cmocka_unit_test(closing_a_range_goes_around_them),
        cmocka_unit_test(closefrom_goes_around_them),
        cmocka_unit_test(nothing_is_put_in_their_place),
        cmocka_unit_test(a_bare_clone_may_close_its_copies),
        cmocka_unit_test(closing_all_of_them_leaves_none),
        cmocka_unit_test(what_such_a_child_has_at_our_numbers_survives_its_forks),
        cmocka_unit_test(a_tight_limit_still_gives_a_high_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
