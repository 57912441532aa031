/*
 * child_ends.h - the ways in which children of a storm end, in rotation: at once, after they have waited (so they wake), by
 * exec, after a fork of their own, by signals at any instruction.
 */
#ifndef CHILD_ENDS_H
#define CHILD_ENDS_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

struct child_end {
    const char *name;
    void (*run)(int number);
    int status; /* of exit, or 256 + the number of the signal */
};

static void end_at_once(int number)
{
    (void)number;
    _exit(10);
}

static void end_after_wait(int number)
{
    poll(NULL, 0, number % 7);
    _exit(11);
}

/* Destructors and exit handlers run while our threads start or work. */
static void end_by_exit(int number)
{
    void *volatile memory = malloc(1000);
    free(memory);
    poll(NULL, 0, number % 7);
    exit(12);
}

static void end_by_exec(int number)
{
    if (number & 1)
        poll(NULL, 0, number % 5);
    execl("/bin/true", "true", (char *)NULL);
    _exit(99);
}

static void end_after_fork(int number)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        poll(NULL, 0, number % 5);
        _exit(5);
    }
    _exit(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 5 ? 13 : 99);
}

static void end_by_kill(int number)
{
    if (number & 1)
        poll(NULL, 0, number % 5);
    kill(getpid(), SIGKILL);
}

static void end_by_abort(int number)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    poll(NULL, 0, number % 5);
    abort();
}

/* At any instruction of its waking, by the default action of SIGALRM. */
static void end_in_the_middle(int number)
{
    struct itimerval soon = {{0, 0}, {0, 1 + number * 7919 % 3000}};
    alarm(0);
    setitimer(ITIMER_REAL, &soon, NULL);
    for (int i = 0; i < 10; i++)
        poll(NULL, 0, 2);
    _exit(99);
}

static const struct child_end child_ends[] = {
    {"at once", end_at_once, 10},
    {"after a wait", end_after_wait, 11},
    {"at once", end_at_once, 10},
    {"by exit()", end_by_exit, 12},
    {"by exec", end_by_exec, 0},
    {"after a fork", end_after_fork, 13},
    {"by SIGKILL", end_by_kill, 256 + SIGKILL},
    {"by abort()", end_by_abort, 256 + SIGABRT},
    {"in the middle", end_in_the_middle, 256 + SIGALRM},
};

static const struct child_end *child_end(int number)
{
    return &child_ends[(size_t)number % (sizeof(child_ends) / sizeof(child_ends[0]))];
}

static bool child_ended_well(const struct child_end *end, int status)
{
    return (WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status)) == end->status;
}

#endif
