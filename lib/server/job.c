#include "server/job.h"

#include "base/clock.h"
#include "server/router.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int ph_jobs_init(struct ph_jobs *jobs, int wake_fd, void (*release)(void *owner), void *owner)
{
    *jobs = (struct ph_jobs){.wake_fd = wake_fd, .release = release, .owner = owner};
    int status = pthread_mutex_init(&jobs->mutex, NULL);
    if (status == 0) {
        status = pthread_cond_init(&jobs->slot_free, NULL);
        if (status != 0)
            pthread_mutex_destroy(&jobs->mutex);
    }
    return -status;
}

void ph_jobs_fini(struct ph_jobs *jobs)
{
    pthread_cond_destroy(&jobs->slot_free);
    pthread_mutex_destroy(&jobs->mutex);
}

static void wake_locked(struct ph_jobs *jobs)
{
    static const uint64_t one = 1;
    /* A full eventfd, the only failure there is, wakes as well. */
    if (jobs->wake_fd >= 0 && write(jobs->wake_fd, &one, sizeof(one)) < 0)
        return;
}

void ph_jobs_wake(struct ph_jobs *jobs)
{
    pthread_mutex_lock(&jobs->mutex);
    wake_locked(jobs);
    pthread_mutex_unlock(&jobs->mutex);
}

void ph_jobs_close(struct ph_jobs *jobs)
{
    pthread_mutex_lock(&jobs->mutex);
    int fd = jobs->wake_fd;
    jobs->wake_fd = -1;
    pthread_mutex_unlock(&jobs->mutex);
    if (fd >= 0)
        close(fd);
}

void ph_job_free(struct ph_job *job)
{
    ph_request_free(job->request);
    ph_reply_fini(&job->reply);
    free(job);
}

static int start_work_locked(struct ph_job *job)
{
    struct ph_jobs *jobs = job->jobs;
    while (jobs->at_work_count == PH_JOBS_AT_WORK_MAX && !job->cancelled)
        pthread_cond_wait(&jobs->slot_free, &jobs->mutex);
    if (job->cancelled)
        return -ECANCELED;
    jobs->at_work_count++;
    job->is_at_work = true;
    return 0;
}

static void stop_work_locked(struct ph_job *job)
{
    if (!job->is_at_work)
        return;
    job->is_at_work = false;
    job->jobs->at_work_count--;
    pthread_cond_signal(&job->jobs->slot_free);
}

static int start_work(struct ph_job *job)
{
    pthread_mutex_lock(&job->jobs->mutex);
    int status = start_work_locked(job);
    pthread_mutex_unlock(&job->jobs->mutex);
    return status;
}

static void finish(struct ph_job *job)
{
    struct ph_jobs *jobs = job->jobs;
    pthread_mutex_lock(&jobs->mutex);
    stop_work_locked(job);
    jobs->job_count--;
    bool abandoned = job->abandoned;
    if (!abandoned) {
        job->next_finished = jobs->finished;
        jobs->finished = job;
        wake_locked(jobs);
    }
    pthread_mutex_unlock(&jobs->mutex);
    if (abandoned)
        ph_job_free(job);
    jobs->release(jobs->owner);
}

static void *run(void *argument)
{
    struct ph_job *job = argument;
    if (start_work(job) == 0)
        job->request->route->handle(job->request, &job->reply);
    else
        ph_reply_failure(job->request, &job->reply, -ECANCELED, NULL);
    finish(job);
    return NULL;
}

static bool reserve(struct ph_jobs *jobs)
{
    pthread_mutex_lock(&jobs->mutex);
    bool fine = jobs->job_count < PH_JOBS_MAX;
    jobs->job_count += fine;
    pthread_mutex_unlock(&jobs->mutex);
    return fine;
}

static void unreserve(struct ph_jobs *jobs)
{
    pthread_mutex_lock(&jobs->mutex);
    jobs->job_count--;
    pthread_mutex_unlock(&jobs->mutex);
}

int ph_job_start(struct ph_jobs *jobs, struct ph_request *take_request, int client_fd, void *connection,
                 void (*hold)(void *owner), struct ph_job **ret_job, struct ph_error *error)
{
    if (!reserve(jobs))
        return ph_error_set(error, -EBUSY, "%d profiles are being made already; try again", PH_JOBS_MAX);
    struct ph_job *job = calloc(1, sizeof(*job));
    if (!job) {
        unreserve(jobs);
        return ph_error_set(error, -ENOMEM, "out of memory");
    }
    *job = (struct ph_job){.jobs = jobs, .request = take_request, .connection = connection, .client_fd = client_fd};
    take_request->job = job;
    hold(jobs->owner);
    int status = take_request->site->probe->own_thread("porthole/work", run, job);
    if (status == 0) {
        *ret_job = job; /* there even if it has ended: it waits to be fetched */
        return 0;
    }
    take_request->job = NULL;
    free(job);
    unreserve(jobs);
    jobs->release(jobs->owner);
    return ph_error_set(error, status, "cannot start a thread: %s", strerror(-status));
}

struct ph_job_counts ph_jobs_count(struct ph_jobs *jobs)
{
    pthread_mutex_lock(&jobs->mutex);
    struct ph_job_counts counts = {.working = jobs->at_work_count, .waiting = jobs->waiting_count};
    counts.queued = jobs->job_count - counts.working - counts.waiting;
    pthread_mutex_unlock(&jobs->mutex);
    return counts;
}

struct ph_job *ph_jobs_fetch(struct ph_jobs *jobs)
{
    pthread_mutex_lock(&jobs->mutex);
    struct ph_job *job = jobs->finished;
    if (job)
        jobs->finished = job->next_finished;
    pthread_mutex_unlock(&jobs->mutex);
    return job;
}

/* The end of input is what ph_job_wait() watches for; the answer can still be written. No descriptor of our own is
 * needed for this: hosts with a low limit have few to spare. */
static void cancel_locked(struct ph_job *job)
{
    if (job->cancelled)
        return;
    job->cancelled = true;
    shutdown(job->client_fd, SHUT_RD);
    pthread_cond_broadcast(&job->jobs->slot_free);
}

void ph_job_cancel(struct ph_job *job)
{
    pthread_mutex_lock(&job->jobs->mutex);
    cancel_locked(job);
    pthread_mutex_unlock(&job->jobs->mutex);
}

void ph_job_abandon(struct ph_job *job)
{
    pthread_mutex_t *mutex = &job->jobs->mutex; /* outlives the job */
    pthread_mutex_lock(mutex);
    cancel_locked(job);
    job->abandoned = true;
    job->connection = NULL;
    pthread_mutex_unlock(mutex);
}

bool ph_job_is_cancelled(struct ph_job *job)
{
    pthread_mutex_lock(&job->jobs->mutex);
    bool cancelled = job->cancelled;
    pthread_mutex_unlock(&job->jobs->mutex);
    return cancelled;
}

bool ph_job_has_left(struct ph_job *job)
{
    struct pollfd client = {.fd = job->client_fd, .events = POLLRDHUP};
    return ph_job_is_cancelled(job) || poll(&client, 1, 0) > 0;
}

/* A client that closes its end has hung up; so has one that only shuts down its writing side, which no profile client
 * does. */
static int wait_until(struct ph_job *job, int64_t deadline_ns)
{
    struct pollfd client = {.fd = job->client_fd, .events = POLLRDHUP};
    while (!ph_job_is_cancelled(job)) {
        int64_t left_ns = deadline_ns - ph_clock_monotonic_ns();
        if (left_ns <= 0)
            return 0;
        int64_t left_ms = (left_ns + PH_NS_PER_MS - 1) / PH_NS_PER_MS;
        if (poll(&client, 1, left_ms < INT_MAX ? (int)left_ms : INT_MAX) > 0)
            return -ECANCELED;
    }
    return -ECANCELED;
}

int ph_job_pause(struct ph_job *job)
{
    struct ph_jobs *jobs = job->jobs;
    pthread_mutex_lock(&jobs->mutex);
    bool fine = jobs->waiting_count < PH_JOBS_WAITING_MAX;
    if (fine) {
        jobs->waiting_count++;
        stop_work_locked(job);
    }
    pthread_mutex_unlock(&jobs->mutex);
    return fine ? 0 : -EBUSY;
}

static int stop_waiting(struct ph_job *job, int status)
{
    pthread_mutex_lock(&job->jobs->mutex);
    job->jobs->waiting_count--;
    if (status == 0)
        status = start_work_locked(job);
    pthread_mutex_unlock(&job->jobs->mutex);
    return status;
}

int ph_job_resume(struct ph_job *job)
{
    return stop_waiting(job, 0);
}

int ph_job_wait(struct ph_job *job, unsigned seconds)
{
    int64_t deadline_ns = ph_clock_monotonic_ns() + seconds * PH_NS_PER_S;
    int status = ph_job_pause(job);
    return status < 0 ? status : stop_waiting(job, wait_until(job, deadline_ns));
}
