/*
 * test_wake.c - a forked child of a server has one thread until it waits; then it wakes and has a window of its own.
 *
 * Each call that can wait, in a child of its own: asleep before, awake afterwards. What does not wait, or is not a child made by
 * fork(), wakes nobody.
 */
#include "porthole/porthole.h"
#include "wake_calls.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const struct timespec no_time = {0};

/* The kernel's word: links of this folder are threads. */
static unsigned thread_count(void)
{
    struct stat facts;
    return stat("/proc/self/task", &facts) == 0 ? (unsigned)facts.st_nlink - 2 : 0;
}

/* @pid's own socket; connecting is a raw system call, so that asking wakes nobody. */
static bool has_window(pid_t pid)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "porthole/%d", (int)pid);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = connect(fd, (struct sockaddr *)&address,
                         (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length));
    syscall(SYS_close, fd);
    return result == 0;
}

static void nap(void)
{
    const struct timespec moment = {.tv_nsec = 5 * 1000 * 1000};
    syscall(SYS_nanosleep, &moment, NULL); /* not through a hook */
}

static bool wakes_soon(void)
{
    for (int i = 0; i < 1000; i++) {
        if (has_window(getpid()))
            return true;
        nap();
    }
    return false;
}

/* ---- Calls that do not ---- */

static void without_waiting(void)
{
    struct epoll_event event;
    struct timeval no_timeval = {0};
    siginfo_t info;
    char byte;
    int status;
    poll(NULL, 0, 0);
    ppoll(NULL, 0, &no_time, NULL);
    epoll_wait(epoll_create1(0), &event, 1, 0);
    select(0, NULL, NULL, NULL, &no_timeval);
    recv(wake_full_socket(), &byte, 1, MSG_DONTWAIT);
    waitpid(-1, &status, WNOHANG);
    waitid(P_ALL, 0, &info, WEXITED | WNOHANG);
    free(malloc(1 << 20));
    close(dup(0));
}

static void in_handler(int signal)
{
    char byte;
    (void)signal;
    if (read(wake_full_pipe(), &byte, 1) != 1)
        _exit(92);
}

static void wait_in_handler(int signal)
{
    (void)signal;
    if (fork() == 0) { /* as PostgreSQL does for SIGCHLD */
        wake_by_poll();
        _exit(wakes_soon() ? 0 : 97);
    }
}

static void forked_in_a_signal_handler(void)
{
    int status = -1;
    signal(SIGUSR1, wait_in_handler);
    raise(SIGUSR1);
    if (syscall(SYS_wait4, -1, &status, 0, NULL) < 0 || status != 0)
        _exit(97);
}

/* It may have interrupted malloc(). */
static void in_a_signal_handler(void)
{
    signal(SIGUSR1, in_handler);
    raise(SIGUSR1);
}

/* The child's memory is the parent's, who sleeps. */
static void in_a_vforked_child(void)
{
    pid_t child = vfork();
    if (child == 0) {
        poll(NULL, 0, 1);
        _exit(0);
    }
    syscall(SYS_wait4, child, NULL, 0, NULL);
}

static void in_a_child_of_clone(void)
{
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);
    if (child == 0) {
        poll(NULL, 0, 1);
        _exit(thread_count() == 1 ? 0 : 93);
    }
    int status = -1;
    syscall(SYS_wait4, child, &status, 0, NULL);
    if (status != 0)
        _exit(93);
}

/* ---- Running them ---- */

enum { ASLEEP_AT_FIRST = 1, AWAKE_AT_LAST = 2 };

/* In a forked child: sleeps it, and does @act wake it? */
static int around(void (*act)(void), bool should_wake)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        alarm(30);
        bool asleep = thread_count() == 1 && !has_window(getpid());
        act();
        bool awake = should_wake ? wakes_soon() : thread_count() > 1;
        _exit((asleep ? ASLEEP_AT_FIRST : 0) | (awake ? AWAKE_AT_LAST : 0));
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void every_call_that_can_wait_wakes_a_child(void **state)
{
    (void)state;
    for (size_t i = 0; i < wake_call_count; i++) {
        int seen = around(wake_calls[i].act, true);
        if (seen != (ASLEEP_AT_FIRST | AWAKE_AT_LAST))
            print_error("%s: %d\n", wake_calls[i].name, seen);
        assert_int_equal(seen, ASLEEP_AT_FIRST | AWAKE_AT_LAST);
    }
}

static void what_does_not_wait_wakes_nobody(void **state)
{
    (void)state;
    assert_int_equal(around(without_waiting, false), ASLEEP_AT_FIRST);
}

static void a_signal_handler_wakes_nobody(void **state)
{
    (void)state;
    assert_int_equal(around(in_a_signal_handler, false), ASLEEP_AT_FIRST);
}

static void a_child_that_was_forked_in_a_signal_handler_wakes(void **state)
{
    (void)state;
    assert_int_equal(around(forked_in_a_signal_handler, false), ASLEEP_AT_FIRST);
}

static void a_root_of_its_own(void)
{
    if (chroot("/") < 0)
        wake_by_poll(); /* not root */
}

static void a_change_of_root_wakes(void **state)
{
    (void)state;
    assert_int_equal(around(a_root_of_its_own, true), ASLEEP_AT_FIRST | AWAKE_AT_LAST);
}

static void children_of_vfork_and_clone_wake_nobody(void **state)
{
    (void)state;
    assert_int_equal(around(in_a_vforked_child, false), ASLEEP_AT_FIRST);
    assert_int_equal(around(in_a_child_of_clone, false), ASLEEP_AT_FIRST);
}

static void in_a_grandchild(void)
{
    int status = -1;
    pid_t child = fork(); /* of one that sleeps */
    if (child == 0) {
        wake_by_poll();
        _exit(wakes_soon() ? 0 : 94);
    }
    waitpid(child, &status, 0);
    if (status != 0)
        _exit(94);
}

static void a_child_of_a_child_that_slept_wakes(void **state)
{
    (void)state;
    assert_int_equal(around(in_a_grandchild, true), ASLEEP_AT_FIRST | AWAKE_AT_LAST);
}

static void shut_then_wait(void)
{
    porthole_shutdown();
    wake_by_poll();
    nap();
}

static void a_child_that_shuts_its_window_before_it_opens_stays_asleep(void **state)
{
    (void)state;
    assert_int_equal(around(shut_then_wait, false), ASLEEP_AT_FIRST);
}

static void init_only(void)
{
    if (porthole_init(NULL) != 0)
        _exit(95);
}

static void porthole_init_wakes(void **state)
{
    (void)state;
    assert_int_equal(around(init_only, true), ASLEEP_AT_FIRST | AWAKE_AT_LAST);
}

static void *nothing_for_a_while(void *argument)
{
    nap();
    return argument;
}

/* Of a child that ends soon, or is ended: but never signal one that has been waited for, its number may be another's. */
static int status_soon(pid_t child)
{
    int status = -1;
    assert_true(child > 0);
    for (int i = 0; i < 2000; i++) {
        if (waitpid(child, &status, WNOHANG) != 0)
            return status;
        nap();
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return status;
}

/* As a main() that leaves by pthread_exit() while threads of its go on. */
static void a_program_ends_with_the_last_thread_of_its_own(void **state)
{
    (void)state;
    for (int threads = 0; threads <= 8; threads += 4) {
        pid_t child = fork();
        if (child == 0) {
            pthread_t thread;
            wake_by_poll();
            if (!wakes_soon())
                _exit(96);
            for (int i = 0; i < threads; i++)
                pthread_create(&thread, NULL, nothing_for_a_while, NULL);
            pthread_exit(NULL);
        }
        assert_int_equal(status_soon(child), 0);
    }
}

/* The threads it wakes have not begun when its own ends. */
static void a_program_that_ends_as_it_wakes_ends(void **state)
{
    (void)state;
    for (int round = 0; round < 50; round++) {
        pid_t child = fork();
        if (child == 0) {
            wake_by_poll();
            pthread_exit(NULL);
        }
        assert_int_equal(status_soon(child), 0);
    }
}

static int open_window(void **state)
{
    static const struct porthole_options quiet = {.listen = "127.0.0.1:0", .log = "quiet"};
    (void)state;
    return porthole_init(&quiet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_that_can_wait_wakes_a_child),
        cmocka_unit_test(what_does_not_wait_wakes_nobody),
        cmocka_unit_test(a_signal_handler_wakes_nobody),
        cmocka_unit_test(a_child_that_was_forked_in_a_signal_handler_wakes),
        cmocka_unit_test(a_change_of_root_wakes),
        cmocka_unit_test(children_of_vfork_and_clone_wake_nobody),
        cmocka_unit_test(a_child_of_a_child_that_slept_wakes),
        cmocka_unit_test(a_child_that_shuts_its_window_before_it_opens_stays_asleep),
        cmocka_unit_test(porthole_init_wakes),
        cmocka_unit_test(a_program_ends_with_the_last_thread_of_its_own),
        cmocka_unit_test(a_program_that_ends_as_it_wakes_ends),
    };
    return cmocka_run_group_tests(tests, open_window, NULL);
}
