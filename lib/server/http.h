/*
 * http.h - libmicrohttpd behind a small door: connections in, requests to the router, replies out.
 *
 * MHD has no thread of its own here: all of these are called on the endpoint thread (ph_http_start() before it runs).
 */
#ifndef PH_SERVER_HTTP_H
#define PH_SERVER_HTTP_H

#include "base/error.h"
#include "server/job.h"
#include "server/request.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct MHD_Daemon;
struct ph_exchange;

struct ph_http {
    struct MHD_Daemon *daemon;
    const struct ph_site *site;
    struct ph_jobs *jobs;
    void (*hold)(void *owner);                   /* for ph_job_start() */
    struct ph_exchange *exchanges;               /* requests under way */
    unsigned connections_max, connections_added; /* added: not yet counted by MHD */
    bool is_closing;                             /* no job starts any more */
    int epoll_fd;                                /* readable when ph_http_run() has work */
};

/** ph_http_start() - 0, or a negative errno with @error. The rest of @http is filled by the caller. */
int ph_http_start(struct ph_http *http, struct ph_error *error);

/** ph_http_add() - hand over an accepted connection; -EBUSY, and @fd still the caller's, if there are too many. */
int ph_http_add(struct ph_http *http, int fd, const struct sockaddr *peer, socklen_t peer_bytes);

/** ph_http_timeout_ms() - when ph_http_run() must be called although nothing came; -1: never. */
int ph_http_timeout_ms(const struct ph_http *http);

/** ph_http_run() - answer what can be answered: finished jobs, then sockets. */
void ph_http_run(struct ph_http *http);

/** ph_http_is_busy() - is any request under way? */
bool ph_http_is_busy(const struct ph_http *http);

/** ph_http_cancel() - end the waiting of all jobs, start no other. ph_http_abandon() - answer 503 for every job that
 * still runs. */
void ph_http_cancel(struct ph_http *http);
void ph_http_abandon(struct ph_http *http);

/** ph_http_stop() - close all connections. No job may be left. */
void ph_http_stop(struct ph_http *http);

#endif
