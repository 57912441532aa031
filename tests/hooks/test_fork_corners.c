/*
 * test_fork_corners.c - forks and awakenings at bad moments: a handler of a signal comes in between, the thread is to be cancelled,
 * memory is another process's, threads are made past pthread_create().
 */
#include "porthole/porthole.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define CHILD_S      20
#define NUMBERS_MAX  2048
#define DELAYS_US    250
#define NESTED_FORKS 1000

/* By bare system calls: none of these wakes anybody. */
static void nap(void)
{
    const struct timespec moment = {.tv_nsec = 5 * 1000 * 1000};
    syscall(SYS_nanosleep, &moment, NULL);
}

static int status_of(pid_t child)
{
    int status = -1;
    while (syscall(SYS_wait4, child, &status, 0, NULL) < 0 && errno == EINTR)
        ;
    return status;
}

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

static bool wakes_soon(void)
{
    for (int i = 0; i < 1000; i++) {
        if (has_window(getpid()))
            return true;
        nap();
    }
    return false;
}

/* The status of a forked child that runs @body and then ends with 0. */
static int in_child(void (*body)(void))
{
    pid_t child = fork();
    if (child == 0) {
        alarm(CHILD_S);
        body();
        _exit(0);
    }
    return status_of(child);
}

static void signal_after_us(int us)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    static timer_t timer;
    static pid_t owner;
    if (owner != getpid() && timer_create(CLOCK_MONOTONIC, &event, &timer) == 0)
        owner = getpid();
    const struct itimerspec then = {.it_value = {.tv_nsec = us * 1000}};
    timer_settime(timer, 0, &then, NULL);
}

/* ---- A handler that forks ---- */

static volatile sig_atomic_t nested_count;

static void fork_in_handler(int signal_number)
{
    (void)signal_number;
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    status_of(child);
    nested_count++;
}

static void fork_while_handlers_fork(void)
{
    signal(SIGUSR1, fork_in_handler);
    for (int i = 0; i < NESTED_FORKS; i++) {
        signal_after_us(1 + i % DELAYS_US);
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        status_of(child);
    }
    if (nested_count == 0)
        _exit(1);
}

static void a_handler_that_forks_may_interrupt_a_fork(void **state)
{
    (void)state;
    assert_int_equal(in_child(fork_while_handlers_fork), 0);
}

static void wait_in_child_with_mask(void)
{
    sigset_t now;
    poll(NULL, 0, 1);
    sigprocmask(SIG_BLOCK, NULL, &now);
    if (!wakes_soon() || !sigismember(&now, SIGUSR2) || sigismember(&now, SIGUSR1) || sigismember(&now, SIGTERM))
        _exit(1);
}

static void the_mask_of_signals_is_the_same_after_a_fork_and_an_awakening(void **state)
{
    sigset_t one, before, after;
    (void)state;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR2);
    sigprocmask(SIG_BLOCK, &one, &before);
    int status = in_child(wait_in_child_with_mask);
    sigprocmask(SIG_BLOCK, NULL, &after);
    assert_int_equal(sigismember(&after, SIGUSR2), 1);
    assert_int_equal(sigismember(&after, SIGUSR1), 0);
    sigprocmask(SIG_SETMASK, &before, NULL);
    assert_int_equal(status, 0);
}

/* ---- A handler that does not return ---- */

static sigjmp_buf main_loop;

static void leave(int signal_number)
{
    (void)signal_number;
    siglongjmp(main_loop, 1);
}

static int delay_us;

static void wake_and_be_interrupted(void)
{
    struct sigaction action = {.sa_handler = leave};
    sigaction(SIGUSR1, &action, NULL);
    if (sigsetjmp(main_loop, 1) == 0) {
        signal_after_us(delay_us);
        poll(NULL, 0, 100);
    }
    poll(NULL, 0, 1);
    if (!wakes_soon())
        _exit(1);
}

static void a_handler_that_does_not_return_leaves_no_child_half_awake(void **state)
{
    (void)state;
    for (delay_us = 1; delay_us <= DELAYS_US; delay_us += 5)
        assert_int_equal(in_child(wake_and_be_interrupted), 0);
}

/* ---- A thread that is to be cancelled ---- */

static void *listen_cancelled(void *ret_returned)
{
    pthread_cancel(pthread_self());
    listen(socket(AF_INET, SOCK_STREAM, 0), 1); /* no point of cancellation */
    *(bool *)ret_returned = true;
    pthread_testcancel();
    return NULL;
}

static void wake_cancelled(void)
{
    pthread_t thread;
    bool returned = false;
    void *result = NULL;
    syscall(SYS_close_range, 3, UINT32_MAX, 0); /* no heir either: it has to be made */
    pthread_create(&thread, NULL, listen_cancelled, &returned);
    pthread_join(thread, &result);
    if (!returned || result != PTHREAD_CANCELED || !wakes_soon())
        _exit(1);
}

static void waking_is_no_point_of_cancellation(void **state)
{
    (void)state;
    assert_int_equal(in_child(wake_cancelled), 0);
}

/* ---- Memory of another process ---- */

__attribute__((noinline)) static int highest_socket(void)
{
    struct stat facts;
    int highest = -1;
    for (int fd = 0; fd < NUMBERS_MAX; fd++)
        if (fstat(fd, &facts) == 0 && S_ISSOCK(facts.st_mode))
            highest = fd;
    return highest;
}

static void a_vfork_child_that_replaces_the_heir_does_not_lose_its_parents(void **state)
{
    (void)state;
    int heir = highest_socket();
    pid_t child = vfork();
    if (child == 0) {
        int result = dup2(STDIN_FILENO, heir);
        _exit(result == heir ? 0 : 1);
    }
    assert_int_equal(status_of(child), 0);
    assert_int_equal(close(heir), -1); /* as if it were not there */
    assert_int_equal(highest_socket(), heir);
}

/* ---- Threads of C11 ---- */

static int nothing_for_a_while(void *argument)
{
    for (int i = 0; !argument && i < 60; i++)
        nap();
    return argument ? 7 : 0;
}

static void leave_c11_threads(void)
{
    thrd_t thread;
    int result = 0;
    poll(NULL, 0, 1);
    if (!wakes_soon() || thrd_create(&thread, nothing_for_a_while, &result) != thrd_success ||
        thrd_join(thread, &result) != thrd_success || result != 7)
        _exit(1);
    for (int i = 0; i < 3; i++)
        if (thrd_create(&thread, nothing_for_a_while, NULL) != thrd_success)
            _exit(1);
    pthread_exit(NULL);
}

static void a_program_ends_with_its_last_c11_thread(void **state)
{
    (void)state;
    assert_int_equal(in_child(leave_c11_threads), 0);
}

/* ---- A sandbox ---- */

#define MAY(call)                                                                                                  \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static bool by_prctl;

static void wait_in_a_sandbox(void)
{
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        MAY(read),
        MAY(poll),
        MAY(exit_group),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof(steps) / sizeof(steps[0]), steps};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    long result = by_prctl ? prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)
                           : syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
    if (result == 0)
        poll(NULL, 0, 1);
}

static void a_child_that_would_be_killed_for_waking_does_not_wake(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        by_prctl = i == 1;
        assert_int_equal(in_child(wait_in_a_sandbox), 0);
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
        cmocka_unit_test(a_handler_that_forks_may_interrupt_a_fork),
        cmocka_unit_test(the_mask_of_signals_is_the_same_after_a_fork_and_an_awakening),
        cmocka_unit_test(a_handler_that_does_not_return_leaves_no_child_half_awake),
        cmocka_unit_test(waking_is_no_point_of_cancellation),
        cmocka_unit_test(a_vfork_child_that_replaces_the_heir_does_not_lose_its_parents),
        cmocka_unit_test(a_program_ends_with_its_last_c11_thread),
        cmocka_unit_test(a_child_that_would_be_killed_for_waking_does_not_wake),
    };
    return cmocka_run_group_tests(tests, open_window, NULL);
}
