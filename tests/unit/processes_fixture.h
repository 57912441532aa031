/* processes_fixture.h - real forked processes for the tests of lib/family: made, told what to do, killed, waited for. */
#ifndef PH_TESTS_PROCESSES_FIXTURE_H
#define PH_TESTS_PROCESSES_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What a process tells the test: one line of it, atomic in a pipe. */
struct fixture_report {
    pid_t pid;
    char what; /* 'f': is the front now, 'm': is a member; tests have more */
    int number;
};

/** fixture_child() - fork; the child runs @body(@argument) and ends with its result. */
pid_t fixture_child(int (*body)(void *argument), void *argument);

/** fixture_kill() - kill(), but never of a group: a pid that is not known would end what runs the tests. */
int fixture_kill(pid_t pid, int number);

/** fixture_end() - kill @pid with SIGKILL and wait for it. fixture_status() - wait; its exit status, 256 + signal; -1: no child. */
void fixture_end(pid_t pid);
int fixture_status(pid_t pid);

/** fixture_pipe() - the test's: both ends are inherited. */
void fixture_pipe(int ret_ends[2]);

/** fixture_tell() - in a child. fixture_hear() - in the test: false if nothing comes within @timeout_ms. */
void fixture_tell(int fd, char what, int number);
bool fixture_hear(int fd, int timeout_ms, struct fixture_report *ret_report);

/** fixture_hold() - stop and wait until it has stopped. fixture_go() - go on. */
void fixture_hold(pid_t pid);
void fixture_go(pid_t pid);

#endif
