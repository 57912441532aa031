/*
 * job.h - requests that take longer: each on a thread of its own, which ends with it, so an idle endpoint has none.
 *
 * The endpoint thread starts a job and suspends the connection; the job runs the route; the endpoint thread fetches
 * the finished job and resumes the connection. Only the endpoint thread ever touches the HTTP library.
 */
#ifndef PH_SERVER_JOB_H
#define PH_SERVER_JOB_H

#include "server/reply.h"
#include "server/request.h"

#include <pthread.h>
#include <stdbool.h>

#define PH_JOBS_MAX         32 /* threads */
#define PH_JOBS_AT_WORK_MAX 4  /* of these, not waiting for seconds to pass: they use CPU and memory of the host */
#define PH_JOBS_WAITING_MAX 16 /* waiting for seconds to pass: each may hold a profile */

struct ph_jobs {
    pthread_mutex_t mutex;
    pthread_cond_t slot_free;
    int wake_fd; /* an eventfd the endpoint thread polls; -1 once it has gone. Guarded by mutex, as is all below */
    unsigned job_count, at_work_count, waiting_count;
    struct ph_job *finished;      /* newest first */
    void (*release)(void *owner); /* what a thread calls when it needs @owner no more */
    void *owner;
};

struct ph_job {
    struct ph_jobs *jobs;
    struct ph_request *request; /* owned */
    struct ph_reply reply;
    void *connection;                      /* of the endpoint thread; not used here */
    int client_fd;                         /* stays open until the job is fetched or abandoned */
    bool cancelled, abandoned, is_at_work; /* guarded by jobs->mutex */
    struct ph_job *next_finished;
};

int ph_jobs_init(struct ph_jobs *jobs, int wake_fd, void (*release)(void *owner), void *owner);
void ph_jobs_fini(struct ph_jobs *jobs);

/**
 * ph_job_start() - run the request's route on a thread of its own.
 * @take_request: the job's from now on, but only if this succeeds.
 * @hold: called once if it succeeds, before the thread starts: the thread keeps the owner.
 *
 * 0; -EBUSY if there are too many jobs; the errno of creating the thread; -ENOMEM; @error says so to the client.
 * Endpoint thread.
 */
int ph_job_start(struct ph_jobs *jobs, struct ph_request *take_request, int client_fd, void *connection,
                 void (*hold)(void *owner), struct ph_job **ret_job, struct ph_error *error);

/* How many requests are at work, wait for one of the places for work, and wait for seconds to pass. */
struct ph_job_counts {
    unsigned working, queued, waiting;
};

/** ph_jobs_count() - now. Any thread. */
struct ph_job_counts ph_jobs_count(struct ph_jobs *jobs);

/** ph_jobs_fetch() - one finished job, NULL if there is none. Free it with ph_job_free(). Endpoint thread. */
struct ph_job *ph_jobs_fetch(struct ph_jobs *jobs);
void ph_job_free(struct ph_job *job);

/** ph_job_cancel() - end the waiting of a job: ph_job_wait() returns -ECANCELED. Endpoint thread. */
void ph_job_cancel(struct ph_job *job);

/**
 * ph_job_abandon() - cancel, and let the connection go. The job frees itself when it ends; if it just has, it is
 * still to be fetched, with no connection. Endpoint thread.
 */
void ph_job_abandon(struct ph_job *job);

/**
 * ph_job_wait() - let @seconds pass without holding one of the places for work.
 * 0; -ECANCELED if the client hung up or the endpoint stops; -EBUSY if too many wait already. The job's thread.
 */
int ph_job_wait(struct ph_job *job, unsigned seconds);

/** ph_job_pause() - give up the place for work: for waiting that is done elsewhere, as for another process. 0; -EBUSY as above.
 * ph_job_resume() - the end of that; 0 or -ECANCELED. The job's thread. */
int ph_job_pause(struct ph_job *job);
int ph_job_resume(struct ph_job *job);

/** ph_job_is_cancelled() - the client hung up or the endpoint stops. While it is false, job->client_fd is open; and poll()
 * tells POLLRDHUP there once it becomes true. The job's thread. */
bool ph_job_is_cancelled(struct ph_job *job);

/** ph_job_has_left() - the same, and asks the connection, too: for who is busy and does not poll(). The job's thread. */
bool ph_job_has_left(struct ph_job *job);

/** ph_jobs_wake() - make the endpoint thread look. Any thread. */
void ph_jobs_wake(struct ph_jobs *jobs);

/** ph_jobs_close() - close the wake descriptor. Endpoint thread, as its last act. */
void ph_jobs_close(struct ph_jobs *jobs);

#endif
