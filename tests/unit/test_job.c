#include "base/clock.h"
#include "server/job.h"
#include "server/router.h"
#include "server_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_NS (20 * PH_NS_PER_S)

static struct ph_jobs jobs;
static struct ph_site site;
static atomic_int holders;                     /* threads that keep the owner of the jobs */
static int ends[2];                            /* the client's connection: ours, his */
static atomic_int inside, inside_most, waited; /* in the routes below */
static atomic_int wait_status;                 /* the last that was not 0 */
static atomic_bool gate_open;
static atomic_uint seconds;

static void hold(void *owner)
{
    holders++;
}

static void release(void *owner)
{
    holders--;
}

static int set_up(void **state)
{
    site = fixture_site();
    holders = inside = inside_most = waited = wait_status = 0;
    gate_open = false;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        return -1;
    return ph_jobs_init(&jobs, eventfd(0, EFD_NONBLOCK), release, &jobs);
}

static bool reaches(const atomic_int *number, int wanted)
{
    int64_t end_ns = ph_clock_monotonic_ns() + PATIENCE_NS;
    while (*number != wanted && ph_clock_monotonic_ns() < end_ns)
        usleep(1000);
    return *number == wanted;
}

static int tear_down(void **state)
{
    assert_true(reaches(&holders, 0));
    ph_jobs_close(&jobs);
    ph_jobs_fini(&jobs);
    close(ends[0]);
    close(ends[1]);
    return 0;
}

static void answer_at_once(struct ph_request *request, struct ph_reply *reply)
{
    ph_reply_begin(reply, PH_TEXT_PLAIN);
    ph_buf_text(&reply->body, request->query);
}

static void work_until_the_gate_opens(struct ph_request *request, struct ph_reply *reply)
{
    int now = ++inside, most = inside_most;
    while (now > most && !atomic_compare_exchange_weak(&inside_most, &most, now))
        ;
    while (!gate_open)
        usleep(1000);
    inside--;
    ph_reply_begin(reply, PH_TEXT_PLAIN);
}

static void wait_seconds(struct ph_request *request, struct ph_reply *reply)
{
    inside++;
    int status = ph_job_wait(request->job, seconds);
    if (status != 0)
        wait_status = status;
    waited++;
    ph_reply_begin(reply, PH_TEXT_PLAIN);
}

static const struct ph_route at_once = {.path = "/debug/pprof/x", .handle = answer_at_once};
static const struct ph_route working = {.path = "/debug/pprof/x", .handle = work_until_the_gate_opens};
static const struct ph_route waiting = {.path = "/debug/pprof/x", .handle = wait_seconds};

static int start(const struct ph_route *route, struct ph_job **ret_job, struct ph_error *error)
{
    struct ph_request *request = fixture_get(&site, "/debug/pprof/x?asked");
    request->route = route;
    int status = ph_job_start(&jobs, request, ends[0], NULL, hold, ret_job, error);
    if (status < 0)
        ph_request_free(request);
    return status;
}

static struct ph_job *fetch(void)
{
    int64_t end_ns = ph_clock_monotonic_ns() + PATIENCE_NS;
    struct ph_job *job = ph_jobs_fetch(&jobs);
    while (!job && ph_clock_monotonic_ns() < end_ns) {
        uint64_t count;
        struct pollfd wake = {.fd = jobs.wake_fd, .events = POLLIN};
        if (poll(&wake, 1, 100) > 0)
            assert_int_equal(read(jobs.wake_fd, &count, sizeof(count)), sizeof(count));
        job = ph_jobs_fetch(&jobs);
    }
    assert_non_null(job);
    return job;
}

static void fetch_all(int count)
{
    while (count--)
        ph_job_free(fetch());
    assert_null(ph_jobs_fetch(&jobs));
}

static void a_job_runs_its_route_and_is_then_to_be_fetched(void **state)
{
    struct ph_job *started;
    assert_int_equal(start(&at_once, &started, NULL), 0);
    struct ph_job *job = fetch();
    assert_ptr_equal(job, started);
    assert_int_equal(job->reply.status, 200);
    assert_string_equal(job->reply.body.data, "asked");
    ph_job_free(job);
    assert_null(ph_jobs_fetch(&jobs));
}

static void waiting_lets_the_seconds_pass(void **state)
{
    struct ph_job *job;
    int64_t start_ns = ph_clock_monotonic_ns();
    seconds = 1;
    assert_int_equal(start(&waiting, &job, NULL), 0);
    fetch_all(1);
    assert_int_equal(wait_status, 0);
    assert_true(ph_clock_monotonic_ns() - start_ns >= PH_NS_PER_S);
}

static void a_client_that_hangs_up_ends_the_waiting(void **state)
{
    struct ph_job *job;
    seconds = 3600;
    assert_int_equal(start(&waiting, &job, NULL), 0);
    assert_true(reaches(&inside, 1));
    shutdown(ends[1], SHUT_RDWR);
    fetch_all(1);
    assert_int_equal(wait_status, -ECANCELED);
}

static void who_works_can_ask_whether_the_client_is_still_there(void **state)
{
    struct ph_job job = {.jobs = &jobs, .client_fd = ends[0]};
    assert_false(ph_job_has_left(&job));
    shutdown(ends[1], SHUT_RDWR);
    assert_true(ph_job_has_left(&job));
    job.client_fd = -1;
    assert_false(ph_job_has_left(&job));
    job.cancelled = true;
    assert_true(ph_job_has_left(&job));
}

static void cancelling_ends_the_waiting(void **state)
{
    struct ph_job *job;
    seconds = 3600;
    assert_int_equal(start(&waiting, &job, NULL), 0);
    assert_true(reaches(&inside, 1));
    ph_job_cancel(job);
    ph_job_cancel(job); /* twice is fine */
    fetch_all(1);
    assert_int_equal(wait_status, -ECANCELED);
}

static void an_abandoned_job_ends_by_itself_and_is_not_fetched(void **state)
{
    struct ph_job *job;
    seconds = 3600;
    assert_int_equal(start(&waiting, &job, NULL), 0);
    assert_true(reaches(&inside, 1));
    ph_job_abandon(job);
    assert_true(reaches(&holders, 0));
    assert_null(ph_jobs_fetch(&jobs));
    assert_int_equal(wait_status, -ECANCELED);
}

static void only_so_many_work_at_once(void **state)
{
    struct ph_job *job;
    for (int i = 0; i < PH_JOBS_AT_WORK_MAX + 3; i++)
        assert_int_equal(start(&working, &job, NULL), 0);
    assert_true(reaches(&inside, PH_JOBS_AT_WORK_MAX));
    usleep(100000); /* time for one too many to come in */
    assert_int_equal(inside, PH_JOBS_AT_WORK_MAX);
    gate_open = true;
    fetch_all(PH_JOBS_AT_WORK_MAX + 3);
    assert_int_equal(inside_most, PH_JOBS_AT_WORK_MAX);
}

static void who_waits_leaves_room_for_those_who_work(void **state)
{
    struct ph_job *cancelled[PH_JOBS_AT_WORK_MAX], *job;
    seconds = 3600;
    for (int i = 0; i < PH_JOBS_AT_WORK_MAX; i++)
        assert_int_equal(start(&waiting, &cancelled[i], NULL), 0);
    assert_true(reaches(&inside, PH_JOBS_AT_WORK_MAX));
    assert_int_equal(start(&at_once, &job, NULL), 0);
    fetch_all(1);
    for (int i = 0; i < PH_JOBS_AT_WORK_MAX; i++)
        ph_job_cancel(cancelled[i]);
    fetch_all(PH_JOBS_AT_WORK_MAX);
}

static bool counts_reach(unsigned working_count, unsigned queued_count, unsigned waiting_count)
{
    int64_t end_ns = ph_clock_monotonic_ns() + PATIENCE_NS;
    struct ph_job_counts counts = ph_jobs_count(&jobs);
    while (ph_clock_monotonic_ns() < end_ns) {
        if (counts.working == working_count && counts.queued == queued_count && counts.waiting == waiting_count)
            return true;
        usleep(1000);
        counts = ph_jobs_count(&jobs);
    }
    return false;
}

static void jobs_are_counted_by_what_they_do(void **state)
{
    struct ph_job *cancelled, *job;
    seconds = 3600;
    assert_true(counts_reach(0, 0, 0));
    assert_int_equal(start(&waiting, &cancelled, NULL), 0);
    assert_true(counts_reach(0, 0, 1));
    for (int i = 0; i < PH_JOBS_AT_WORK_MAX + 3; i++)
        assert_int_equal(start(&working, &job, NULL), 0);
    assert_true(counts_reach(PH_JOBS_AT_WORK_MAX, 3, 1));
    gate_open = true;
    ph_job_cancel(cancelled);
    fetch_all(PH_JOBS_AT_WORK_MAX + 4);
    assert_true(counts_reach(0, 0, 0));
}

static void one_more_than_may_wait_is_refused(void **state)
{
    struct ph_job *started[PH_JOBS_WAITING_MAX + 1];
    seconds = 3600;
    for (int i = 0; i < PH_JOBS_WAITING_MAX + 1; i++)
        assert_int_equal(start(&waiting, &started[i], NULL), 0);
    struct ph_job *refused = fetch();
    assert_int_equal(wait_status, -EBUSY);
    assert_int_equal(waited, 1);
    for (int i = 0; i < PH_JOBS_WAITING_MAX + 1; i++)
        if (started[i] != refused)
            ph_job_cancel(started[i]);
    ph_job_free(refused);
    fetch_all(PH_JOBS_WAITING_MAX);
}

static void one_more_than_there_may_be_is_refused_and_told_so(void **state)
{
    struct ph_job *job;
    struct ph_error error = {0, ""};
    for (int i = 0; i < PH_JOBS_MAX; i++)
        assert_int_equal(start(&working, &job, NULL), 0);
    assert_int_equal(start(&working, &job, &error), -EBUSY);
    assert_string_equal(error.text, "32 profiles are being made already; try again");
    gate_open = true;
    fetch_all(PH_JOBS_MAX);
    assert_int_equal(start(&at_once, &job, NULL), 0); /* there is room again */
    fetch_all(1);
}

static int no_thread(const char *name, void *(*body)(void *), void *argument)
{
    return -EAGAIN;
}

static void without_a_thread_the_request_stays_the_callers(void **state)
{
    struct ph_job *job;
    struct ph_error error = {0, ""};
    struct ph_probe probe = fixture_probe;
    probe.own_thread = no_thread;
    site.probe = &probe;
    assert_int_equal(start(&at_once, &job, &error), -EAGAIN); /* start() frees it: once, says ASan */
    assert_string_equal(error.text, "cannot start a thread: Resource temporarily unavailable");
    assert_int_equal(holders, 0);
    assert_int_equal(jobs.job_count, 0);
}

#define JOB_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        JOB_TEST(a_job_runs_its_route_and_is_then_to_be_fetched),
        JOB_TEST(waiting_lets_the_seconds_pass),
        JOB_TEST(a_client_that_hangs_up_ends_the_waiting),
        JOB_TEST(who_works_can_ask_whether_the_client_is_still_there),
        JOB_TEST(cancelling_ends_the_waiting),
        JOB_TEST(an_abandoned_job_ends_by_itself_and_is_not_fetched),
        JOB_TEST(only_so_many_work_at_once),
        JOB_TEST(who_waits_leaves_room_for_those_who_work),
        JOB_TEST(jobs_are_counted_by_what_they_do),
        JOB_TEST(one_more_than_may_wait_is_refused),
        JOB_TEST(one_more_than_there_may_be_is_refused_and_told_so),
        JOB_TEST(without_a_thread_the_request_stays_the_callers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
