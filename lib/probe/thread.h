/*
 * thread.h - the threads of this process: a registry of those that live, and the making of our own.
 *
 * A record is claimed by the creator, filled by the new thread, read by the agent at any time, and released by a TLS
 * destructor, which pthread_exit and cancellation do not skip. Lock-free; allocates (mmap) once for 64 threads.
 */
#ifndef PH_PROBE_THREAD_H
#define PH_PROBE_THREAD_H

#include "probe/guard.h"
#include "probe/probe.h"

#include <pthread.h>
#include <threads.h>

/** ph_thread_init() - from the constructor, on the main thread. */
void ph_thread_init(void);

/** ph_thread_create() - pthread_create() with a record, on a thread of the host. Returns what pthread_create() does. */
int ph_thread_create(struct ph_guard *guard, pthread_t *ret_thread, const pthread_attr_t *attributes,
                     void *(*start)(void *), void *argument);

/** ph_thread_create_c11() - the same for thrd_create(). */
int ph_thread_create_c11(struct ph_guard *guard, thrd_t *ret_thread, thrd_start_t start, void *argument);

/** ph_thread_create_own() - the same on a thread of ours: what a library in the agent makes is ours, too. */
int ph_thread_create_own(pthread_t *ret_thread, const pthread_attr_t *attributes, void *(*start)(void *),
                         void *argument);

/** ph_own_thread() - ph_probe.own_thread. */
int ph_own_thread(const char *name, void *(*body)(void *), void *argument);

/** ph_own_spares_make() - park two threads that ph_own_thread() uses when no new one can be made: haproxy limits itself to
 * no further thread (RLIMIT_NPROC) once it listens. ph_own_spares_release(): let those that are parked end. */
void ph_own_spares_make(void);
void ph_own_spares_release(void);

/** ph_own_spares_forget() - in a forked child: there are none. */
void ph_own_spares_forget(void);

/** ph_thread_first() - the slot of the main thread, which is in no table; in a forked child of who forked. NULL if it has ended. */
struct ph_thread_slot *ph_thread_first(void);

/** ph_threads() - ph_probe.threads. ph_thread_again() - ph_probe.thread. */
size_t ph_threads(struct ph_thread *ret_threads, size_t capacity);
bool ph_thread_again(uint32_t number, pid_t tid, struct ph_thread *ret_thread);

/** ph_own_tids() - at most @capacity ids of our threads; how many. ph_threads_wait(): until the kernel knows none of
 * @tids any more, at most @timeout_ns. */
size_t ph_own_tids(pid_t *ret_tids, size_t capacity);
void ph_threads_wait(const pid_t *tids, size_t count, int64_t timeout_ns);

/** ph_threads_after_fork() - in the child: one thread is left. */
void ph_threads_after_fork(void);

/** ph_thread_carry_labels() - from now on the calling thread has this set (labels.h): in its record, for signal handlers on it and
 * for its heap samples. */
void ph_thread_carry_labels(uint32_t set);

/* Turns the calling thread of the host into one of ours for the length of a call of the public API. */
struct ph_own_scope {
    bool was_own, was_sampling;
};
struct ph_own_scope ph_own_scope_enter(void);
void ph_own_scope_leave(struct ph_own_scope scope);

#endif
