/*
 * state.h - private to this room: what the handle of the agent, the endpoint thread and the jobs share.
 *
 * Each of them holds a reference; the last to let go frees it. Descriptors are closed earlier, by the endpoint thread:
 * the last to let go may be a thread of the host, which cannot close what is ours.
 */
#ifndef PH_SERVER_STATE_H
#define PH_SERVER_STATE_H

#include "server/http.h"
#include "server/job.h"
#include "server/listen.h"
#include "server/request.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PH_LISTENERS_MAX 2 /* PORTHOLE_LISTEN and the abstract socket */

struct ph_server {
    atomic_uint references;
    pid_t pid; /* a forked child has the structure but not the threads */
    atomic_bool stopping;
    struct ph_site site;
    struct ph_jobs jobs;

    /* Of the endpoint thread once it runs. */
    struct ph_http http;
    struct ph_listener listeners[PH_LISTENERS_MAX];
    unsigned listener_count;
    int spare_fd;            /* given up for a moment to answer when the process has no descriptor left; -1: lost */
    int64_t accept_after_ns; /* monotonic; in the future while accepting is pointless */

    pthread_mutex_t mutex;
    pthread_cond_t end;
    bool ended; /* guarded by mutex: the endpoint thread touches nothing outside this structure any more */
};

void ph_server_hold(void *server);
void ph_server_release(void *server);

/** ph_loop_run() - the endpoint thread, from start to the last close. Its argument is a struct ph_server it holds. */
void *ph_loop_run(void *server);

/** ph_loop_close() - close everything ph_server_start() opened; also for a start that failed half-way. */
void ph_loop_close(struct ph_server *server);

/** ph_accept() - accept what waits at @listener, at most so much that requests under way get their turn. */
void ph_accept(struct ph_server *server, struct ph_listener *listener);

#endif
