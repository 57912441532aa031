#include "processes_fixture.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

pid_t fixture_child(int (*body)(void *argument), void *argument)
{
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(60); /* whatever becomes of the test */
        _exit(body(argument));
    }
    return pid;
}

int fixture_kill(pid_t pid, int number)
{
    if (pid <= 1) {
        fprintf(stderr, "signal %d for %d: all there is\n", number, (int)pid);
        abort();
    }
    return kill(pid, number);
}

void fixture_end(pid_t pid)
{
    fixture_kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

int fixture_status(pid_t pid)
{
    int status = 0;
    if (waitpid(pid, &status, 0) != pid)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

void fixture_pipe(int ret_ends[2])
{
    assert_int_equal(pipe(ret_ends), 0);
}

void fixture_tell(int fd, char what, int number)
{
    struct fixture_report report = {.pid = getpid(), .what = what, .number = number};
    if (write(fd, &report, sizeof(report)) != sizeof(report))
        _exit(99);
}

bool fixture_hear(int fd, int timeout_ms, struct fixture_report *ret_report)
{
    struct pollfd slot = {.fd = fd, .events = POLLIN};
    return poll(&slot, 1, timeout_ms) == 1 && read(fd, ret_report, sizeof(*ret_report)) == sizeof(*ret_report);
}

void fixture_hold(pid_t pid)
{
    int status;
    fixture_kill(pid, SIGSTOP);
    waitpid(pid, &status, WUNTRACED);
}

void fixture_go(pid_t pid)
{
    fixture_kill(pid, SIGCONT);
}
