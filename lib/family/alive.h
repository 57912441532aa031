/*
 * alive.h - is a process still what it was, and is this the place where it was? The facts behind the segment's rows.
 *
 * Issue: a pid says little: it comes again, it outlives exec(), and /proc, which could tell more, is not there after chroot().
 * Solution: a robust mutex (pthread_mutexattr_setrobust(3)) in shared memory. The kernel itself marks it when the thread that
 * holds it ends, be it by exit, SIGKILL or exec() of its process, before anything else of the process can be seen to end.
 * Drawback: one thread has to hold it from beginning to end; and only the C library knows where in a mutex the word is.
 */
#ifndef PH_FAMILY_ALIVE_H
#define PH_FAMILY_ALIVE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* In shared memory. All zero: not alive. */
struct ph_alive {
    pthread_mutex_t mutex;
};

/** ph_alive_begin() - from now on until ph_alive_end(), or until the calling thread or its program ends. What @alive held
 * is overwritten. ph_alive_end() - on the same thread. */
void ph_alive_begin(struct ph_alive *alive);
void ph_alive_end(struct ph_alive *alive);

/** ph_alive_is() - any process, any thread; no system call. */
bool ph_alive_is(const struct ph_alive *alive);

/** ph_start_ticks() - field 22 of /proc/PID/stat; 0 if it cannot be read, or for a zombie. */
uint64_t ph_start_ticks(pid_t pid);

/** ph_process_is_there() - @start_ticks of 0 are any. Where /proc does not tell, as kill() does. */
bool ph_process_is_there(pid_t pid, uint64_t start_ticks);

/** ph_process_name() - of the calling process, not of its thread; as it was called if /proc does not tell. */
void ph_process_name(char ret_name[16]);

/* The namespaces of the calling thread; 0 where they cannot be told. */
struct ph_home {
    uint64_t pid;
    uint64_t net;
};

struct ph_home ph_home_here(void);

/** ph_home_equals() - what one of them does not know counts as equal. */
bool ph_home_equals(const struct ph_home *a, const struct ph_home *b);

#endif
