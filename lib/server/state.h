/*
 * state.h - private to this room: what the handle of the agent, the endpoint thread and the jobs share.
 *
 * Each of them holds a reference; the last to let go frees it. Descriptors are closed earlier, by the endpoint thread:
 * the last to let go may be a thread of the host, which cannot close what is ours.
 */
#ifndef PH_SERVER_STATE_H
#define PH_SERVER_STATE_H

#include "family/beacon.h"
#include "server/http.h"
#include "server/job.h"
#include "server/listen.h"
#include "server/request.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The abstract socket; the family's, if this process is the front: where it listens, and where it listened before it got the
 * port it wished for. */
#define PH_LISTENERS_MAX 4

/* The address that PORTHOLE_LISTEN names, while another generation of the server has it (wish.h). */
struct ph_wish {
    struct ph_address address;
    int watch_fd;        /* of the other generation's beacon; -1 */
    int64_t retry_at_ns; /* monotonic; 0: no need to try */
    unsigned tries_left;
    bool is_ours; /* a generation of this program has, or had, the address: when it is free it is this one's */
};

struct ph_server {
    atomic_uint references;
    pid_t pid; /* a forked child has the structure but not the threads */
    atomic_bool stopping;
    struct ph_site site;
    struct ph_jobs jobs;

    /* Of the endpoint thread once it runs. */
    struct ph_http http;
    struct ph_listener listeners[PH_LISTENERS_MAX];
    struct ph_beacon
        beacons[PH_LISTENERS_MAX]; /* one for each of the family's: "this generation has that address" */
    int rivals
        [PH_LISTENERS_MAX]; /* to be polled: another process still holds the name of that beacon (share.h); -1 */
    unsigned listener_count;
    struct ph_wish wish;
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
