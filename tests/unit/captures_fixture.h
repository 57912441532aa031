/*
 * captures_fixture.h - threads that burn CPU time, and what is captured of them: the probe's own parts, linked in.
 */
#ifndef TESTS_UNIT_CAPTURES_FIXTURE_H
#define TESTS_UNIT_CAPTURES_FIXTURE_H

#include "probe/capture.h"
#include "probe/timers.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define STACK_BYTES ((size_t)8 << 10)

/** burn_ms() - CPU time of the calling thread. burn() - some microseconds. */
void burn_ms(int milliseconds);
void burn(void);

/* Thread bodies: the id goes to @tid, then they burn until burn_stop(). Before they are made: burn_start(). */
void *burn_until_stopped(void *tid);
void *block_all_and_burn(void *tid);
void burn_start(void);
void burn_stop(void);

/** clone_that_burns() - a thread of a bare clone(), on the stack that ends at @stack_high. Its id. It may go on for a moment after
 * burn_stop(): wait_for_end(). */
pid_t clone_that_burns(char *stack_high);
void wait_for_end(pid_t tid);

/** wait_for_tid() - until a thread has told its id. */
pid_t wait_for_tid(const pid_t *tid);

/** wait_until_blocked() - in one and the same system call for some milliseconds. */
void wait_until_blocked(pid_t tid);

/** thread_of_host() - pthread_create(), with a slot in the registry. */
pthread_t thread_of_host(void *(*body)(void *), void *argument);

/** sample_begin(), sample_end() - all there is drained before the end. */
void sample_begin(unsigned hz);
struct ph_sampling_counts sample_end(void);

/** drain() - how many expirations were captured of @tid (0: of all); everything is given back. */
uint64_t drain(pid_t tid);

/** drain_at_least() - the same, until there are so many, or for 20 s. */
uint64_t drain_at_least(pid_t tid, uint64_t count);

/** behind_syscall() - the instruction after the system call of a function of libc. */
uintptr_t behind_syscall(const void *function);

/** status_of() - the exit status of a child; the test fails if a signal ended it. */
int status_of(pid_t child);

/** captures_setup() - cmocka group setup. */
int captures_setup(void **state);

#endif
