/*
 * threads_fixture.h - real threads that wait in known ways, and a probe that knows them.
 *
 * The probe's ask() is a signal whose handler copies registers and stack; it counts what it has sent.
 */
#ifndef PH_TESTS_THREADS_FIXTURE_H
#define PH_TESTS_THREADS_FIXTURE_H

#include "probe/probe.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct thread {
    pthread_t thread;
    _Atomic pid_t tid;
    void (*body)(struct thread *thread);
    const char *name;
    void *argument;
    uint64_t waits_since_ns; /* what the registry is to say of it */
    _Atomic uintptr_t wait_frame;
    bool own;
    uint32_t label_set;
    _Atomic bool spins;        /* it works, and does nothing else from now on */
    _Atomic int interruptions; /* counted by bodies: calls that ended with EINTR */
};

extern const struct ph_probe fixture_probe;
extern _Atomic int fixture_signals; /* sent by ask() */

/** thread_start() - runs @thread->body; back when the thread has its number. thread_start_blocked() - back when it is blocked,
 * thread_start_spinning() - when it works. */
void thread_start(struct thread *thread);
void thread_start_spinning(struct thread *thread);
void thread_start_blocked(struct thread *thread);
void thread_join(struct thread *thread);

/** thread_await() - until the state letter of @tid is @state. */
void thread_await(pid_t tid, char state);

/** thread_switches() - voluntary_ctxt_switches of /proc/PID/task/TID/status. */
long thread_switches(pid_t tid);

/* Bodies. Those that wait do so until fixture_release(). */
void body_spin(struct thread *thread);        /* works */
void body_spin_masked(struct thread *thread); /* works, with all signals blocked */
void body_sleep(struct thread *thread);       /* nanosleep() */
void body_sleep_masked(struct thread *thread);
void body_epoll(struct thread *thread);     /* epoll_wait(); argument: int * where its descriptor is put */
void body_receive(struct thread *thread);   /* recv(); argument: int *, the socket */
void body_semaphore(struct thread *thread); /* sem_wait() */
void body_lock(struct thread *thread);      /* pthread_mutex_lock(); argument: the mutex */
void body_hold(struct thread *thread);      /* has the mutex, and waits */

/** fixture_release() - the spinning threads end; the semaphore, the sleep and the epoll descriptors let go. */
void fixture_begin(void);
void fixture_release(void);

#endif
