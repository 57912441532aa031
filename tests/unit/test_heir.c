/* The descriptor that keeps sockets for forked children. The probe is linked into this program. */
#include "probe/heir.h"

#include "probe/counters.h"
#include "probe/guard.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static ino_t inode_of(int fd)
{
    struct stat facts;
    return fstat(fd, &facts) == 0 ? facts.st_ino : 0;
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static int listener(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    return fd;
}

/* This thread is in the host's table, as ours are where a filter keeps them there: then the heir is, too. */
static int made(void **state)
{
    (void)state;
    ph_heir_keep();
    return ph_heir_is(ph_heir_fd()) ? 0 : -1;
}

/* What is kept now: how many, the inode of the first in @ret_first. */
static size_t kept(ino_t *ret_first)
{
    int fds[8];
    size_t count = ph_inherit(fds, 8);
    *ret_first = count ? inode_of(fds[0]) : 0;
    ph_tls.own = true;
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
    ph_tls.own = false;
    return count;
}

static void it_is_high_and_closed_on_exec(void **state)
{
    (void)state;
    assert_true(ph_heir_fd() >= 512);
    assert_true(fcntl(ph_heir_fd(), F_GETFD) & FD_CLOEXEC);
}

static void what_is_bequeathed_can_be_taken_again_and_again(void **state)
{
    (void)state;
    ino_t first;
    int fd = listener();
    ino_t inode = inode_of(fd);
    assert_int_equal(ph_bequeath(&fd, 1), 0);
    close(fd); /* only the queue holds it now */
    for (int i = 0; i < 100; i++) {
        assert_int_equal(kept(&first), 1);
        assert_int_equal(first, inode);
    }
}

static void a_new_bequest_replaces_the_old(void **state)
{
    (void)state;
    ino_t first;
    int fds[] = {listener(), listener()};
    ino_t inode = inode_of(fds[0]);
    for (int i = 0; i < 50; i++)
        assert_int_equal(ph_bequeath(fds, 2), 0);
    assert_int_equal(kept(&first), 2);
    assert_int_equal(first, inode);
    assert_int_equal(ph_bequeath(fds, 0), 0);
    assert_int_equal(kept(&first), 0);
    close(fds[0]);
    close(fds[1]);
}

static void nothing_is_left_open_by_giving_and_taking(void **state)
{
    (void)state;
    ino_t first;
    int fd = listener(), before = dup(0);
    close(before);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(ph_bequeath(&fd, 1), 0);
        kept(&first);
    }
    int after = dup(0);
    close(after);
    assert_int_equal(after, before);
    close(fd);
}

/* In a child of a child, whose parents are gone and which has closed what it could. */
static int inherited_by_a_grandchild(void (*close_all)(void), ino_t inode)
{
    int result[2];
    char good = 0;
    assert_int_equal(pipe(result), 0);
    pid_t child = fork();
    if (child == 0) {
        if (fork() == 0) {
            ino_t first = 0;
            dup2(result[1], 2);
            close_all();
            good = kept(&first) == 1 && first == inode;
            syscall(SYS_write, 2, &good, 1);
        }
        _exit(0);
    }
    waitpid(child, NULL, 0);
    close(result[1]);
    if (read(result[0], &good, 1) != 1)
        good = 0;
    close(result[0]);
    return good;
}

static void by_close(void)
{
    for (int fd = 3; fd < 2000; fd++)
        close(fd);
}

static void by_close_range(void)
{
    close_range(3, ~0U, 0);
}

static void by_closefrom(void)
{
    closefrom(3);
}

/* Every number in turn: also onto ours. */
static void by_dup2(void)
{
    for (int fd = 3; fd < 600; fd++)
        dup2(0, fd);
    for (int fd = 3; fd < 600; fd++)
        close(fd);
}

static void a_grandchild_that_closes_everything_has_it(void **state)
{
    static void (*const ways[])(void) = {by_close, by_close_range, by_closefrom, by_dup2};
    (void)state;
    int fd = listener();
    assert_int_equal(ph_bequeath(&fd, 1), 0);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        assert_true(inherited_by_a_grandchild(ways[i], inode_of(fd)));
    close(fd);
}

static void a_host_that_wants_the_number_gets_it(void **state)
{
    (void)state;
    ino_t first;
    int number = ph_heir_fd(), fd = listener();
    ino_t inode = inode_of(fd);
    assert_int_equal(ph_bequeath(&fd, 1), 0);
    assert_int_equal(dup2(fd, number), number);
    assert_int_equal(inode_of(number), inode);
    assert_int_not_equal(ph_heir_fd(), number);
    assert_int_equal(kept(&first), 1);
    assert_int_equal(close(number), 0);
    close(fd);
}

static void a_dup2_that_fails_moves_nothing(void **state)
{
    (void)state;
    int number = ph_heir_fd();
    errno = 0;
    assert_int_equal(dup2(-1, number), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(ph_heir_fd(), number);
}

/* Closed by a raw system call, and the number given to the host: then it is the host's. */
static void a_number_that_was_given_again_is_not_defended(void **state)
{
    (void)state;
    ino_t first;
    int number = ph_heir_fd();
    syscall(SYS_close, number);
    assert_int_equal(kept(&first), 0);
    assert_int_equal(syscall(SYS_dup3, 0, number, 0), number);
    assert_false(ph_heir_is(number));
    assert_int_equal(close(number), 0);
    assert_false(is_open(number));
    assert_int_equal(ph_heir_find(), PH_HEIR_NONE);
    ph_heir_keep();
    assert_true(ph_heir_is(ph_heir_fd()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_high_and_closed_on_exec),
        cmocka_unit_test(what_is_bequeathed_can_be_taken_again_and_again),
        cmocka_unit_test(a_new_bequest_replaces_the_old),
        cmocka_unit_test(nothing_is_left_open_by_giving_and_taking),
        cmocka_unit_test(a_grandchild_that_closes_everything_has_it),
        cmocka_unit_test(a_host_that_wants_the_number_gets_it),
        cmocka_unit_test(a_dup2_that_fails_moves_nothing),
        cmocka_unit_test(a_number_that_was_given_again_is_not_defended),
    };
    return cmocka_run_group_tests(tests, made, NULL);
}
