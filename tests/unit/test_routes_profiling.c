/* Profiles over seconds as a client sees them; what is collected is a stand-in of the test's. */
#include "base/clock.h"
#include "collect/cpu.h"
#include "collect/wall.h"
#include "server/job.h"
#include "server/profile_counts.h"
#include "server/router.h"
#include "server_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct ph_site site;
static struct ph_jobs jobs;
static struct ph_job job;
static int client[2]; /* ours, his */

/* ---- the stand-in ---- */

static struct {
    int status;               /* that it returns */
    bool until_left;          /* it lasts until the client has hung up */
    struct ph_profiling wish; /* of the last */
    unsigned cpu_count, wall_count;
    unsigned at_work_count, waiting_count; /* of the jobs meanwhile */
} stand_in;

static int collect(const struct ph_profiling *wish, struct ph_profile **ret_profile, struct ph_error *error)
{
    stand_in.wish = *wish;
    stand_in.at_work_count = jobs.at_work_count;
    stand_in.waiting_count = jobs.waiting_count;
    if (stand_in.status < 0)
        return ph_error_set(error, stand_in.status, "one runs since 3 s, for 7 s more");
    for (int i = 0; stand_in.until_left && i < 20000; i++) {
        if (wish->is_cancelled(wish->context))
            return -ECANCELED;
        if (i == 1)
            close(client[1]);
        usleep(1000);
    }
    *ret_profile = ph_profile_new();
    ph_profile_add_type(*ret_profile, "samples", "count");
    return 0;
}

int ph_cpu_profile(const struct ph_profiling *wish, struct ph_profile **ret_profile, struct ph_error *error)
{
    stand_in.cpu_count++;
    return collect(wish, ret_profile, error);
}

int ph_wall_profile(const struct ph_profiling *wish, struct ph_profile **ret_profile, struct ph_error *error)
{
    stand_in.wall_count++;
    return collect(wish, ret_profile, error);
}

bool ph_profiling_state(int64_t *ret_since_ns, int64_t *ret_until_ns)
{
    *ret_since_ns = ph_clock_monotonic_ns() - 3 * PH_NS_PER_S;
    *ret_until_ns = ph_clock_monotonic_ns() + 6 * PH_NS_PER_S + PH_NS_PER_S / 2;
    return true;
}

/* ---- requests ---- */

static void ignore(void *owner)
{
}

static int set_up(void **state)
{
    site = fixture_site();
    memset(&stand_in, 0, sizeof(stand_in));
    ph_profile_counts_forked();
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, client) < 0)
        return -1;
    job = (struct ph_job){.jobs = &jobs, .client_fd = client[0]};
    return ph_jobs_init(&jobs, -1, ignore, NULL);
}

static int tear_down(void **state)
{
    ph_jobs_fini(&jobs);
    close(client[0]);
    if (!stand_in.until_left)
        close(client[1]);
    return 0;
}

static struct ph_reply ask(enum ph_method method, const char *target, bool is_family)
{
    struct ph_reply reply = {0};
    struct ph_request *request = fixture_get(&site, target);
    request->method = method;
    request->is_family = is_family;
    request->job = &job;
    request->route = ph_route_find(request->path);
    assert_non_null(request->route);
    request->route->handle(request, &reply);
    ph_request_free(request);
    return reply;
}

static bool is_gzip(const struct ph_reply *reply)
{
    return reply->body.size_bytes > 2 && memcmp(reply->body.data, "\x1f\x8b", 2) == 0;
}

static void what_is_asked_for_is_collected(void **state)
{
    struct ph_reply reply = ask(PH_METHOD_GET, "/debug/pprof/profile?seconds=5&hz=250", false);
    assert_int_equal(reply.status, 200);
    assert_true(is_gzip(&reply));
    assert_string_equal(fixture_header(&reply, "Content-Disposition"), "attachment; filename=\"profile\"");
    assert_int_equal(stand_in.cpu_count, 1);
    assert_int_equal(stand_in.wish.seconds, 5);
    assert_int_equal(stand_in.wish.hz, 250);
    assert_false(stand_in.wish.bare);
    assert_int_equal(ph_profile_counts_read(PH_PROFILE_CPU), 1);
    ph_reply_fini(&reply);
}

static void gperftools_gets_its_own_format(void **state)
{
    static const uint64_t header[] = {0, 3, 0};
    struct ph_reply reply = ask(PH_METHOD_GET, "/pprof/profile?seconds=1", false);
    assert_int_equal(reply.status, 200);
    assert_int_equal(stand_in.cpu_count, 1);
    assert_memory_equal(reply.body.data, header, sizeof(header));
    ph_reply_fini(&reply);
}

static void wall_time_has_two_names(void **state)
{
    static const char *const targets[] = {"/debug/pprof/wall?seconds=1", "/debug/fgprof?seconds=1"};
    for (unsigned i = 0; i < 2; i++) {
        struct ph_reply reply = ask(PH_METHOD_GET, targets[i], false);
        assert_int_equal(reply.status, 200);
        assert_int_equal(stand_in.wall_count, i + 1);
        ph_reply_fini(&reply);
    }
    assert_int_equal(ph_profile_counts_read(PH_PROFILE_WALL), 2);
}

static void while_it_lasts_it_holds_no_place_for_work(void **state)
{
    struct ph_reply reply = ask(PH_METHOD_GET, "/debug/pprof/profile?seconds=1", false);
    assert_int_equal(stand_in.at_work_count, 0);
    assert_int_equal(stand_in.waiting_count, 1);
    assert_int_equal(jobs.waiting_count, 0);
    assert_int_equal(jobs.at_work_count, 1); /* again, to write it */
    ph_reply_fini(&reply);
}

static void while_one_runs_another_is_told_when_to_come_back(void **state)
{
    stand_in.status = -EBUSY;
    struct ph_reply reply = ask(PH_METHOD_GET, "/debug/pprof/wall?seconds=1", false);
    assert_int_equal(reply.status, 409);
    assert_string_equal(fixture_header(&reply, "Retry-After"), "7");
    assert_string_equal(fixture_header(&reply, "X-Go-Pprof"), "1");
    assert_string_equal(reply.body.data, "one runs since 3 s, for 7 s more\n");
    assert_int_equal(ph_profile_counts_read(PH_PROFILE_WALL), 0);
    ph_reply_fini(&reply);
}

static void more_than_may_wait_are_not_taken_for_one_that_runs(void **state)
{
    jobs.waiting_count = PH_JOBS_WAITING_MAX;
    struct ph_reply reply = ask(PH_METHOD_GET, "/debug/pprof/wall?seconds=1", false);
    assert_int_equal(reply.status, 503);
    assert_int_equal(stand_in.wall_count, 0);
    ph_reply_fini(&reply);
}

static void a_client_that_hangs_up_ends_its_profile(void **state)
{
    stand_in.until_left = true;
    struct ph_reply reply = ask(PH_METHOD_GET, "/debug/pprof/profile?seconds=3600", false);
    assert_int_equal(reply.status, 503);
    assert_int_equal(ph_profile_counts_read(PH_PROFILE_CPU), 0);
    assert_int_equal(jobs.waiting_count, 0);
    ph_reply_fini(&reply);
}

static void what_cannot_be_done_is_said(void **state)
{
    stand_in.status = -ENOSPC;
    struct ph_reply reply = ask(PH_METHOD_GET, "/debug/pprof/profile?seconds=1", false);
    assert_int_equal(reply.status, 503);
    assert_non_null(strstr(reply.body.data, "one runs since"));
    ph_reply_fini(&reply);
}

static void another_member_gets_it_bare_and_signed(void **state)
{
    struct ph_reply reply = ask(PH_METHOD_GET, "/debug/pprof/profile?seconds=2&hz=99", true);
    assert_int_equal(reply.status, 200);
    assert_true(stand_in.wish.bare);
    assert_false(is_gzip(&reply));
    assert_non_null(fixture_header(&reply, PH_FAMILY_MEMBER_HEADER));
    ph_reply_fini(&reply);
}

static void head_watches_nobody(void **state)
{
    struct ph_reply reply = ask(PH_METHOD_HEAD, "/debug/pprof/profile", false);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.type, PH_BINARY);
    assert_int_equal(stand_in.cpu_count, 0);
    ph_reply_fini(&reply);
}

static void bad_parameters_watch_nobody(void **state)
{
    struct ph_reply reply = ask(PH_METHOD_GET, "/debug/pprof/profile?hz=0", false);
    assert_int_equal(reply.status, 400);
    assert_int_equal(stand_in.cpu_count, 0);
    ph_reply_fini(&reply);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_asked_for_is_collected),
        TEST(gperftools_gets_its_own_format),
        TEST(wall_time_has_two_names),
        TEST(while_it_lasts_it_holds_no_place_for_work),
        TEST(while_one_runs_another_is_told_when_to_come_back),
        TEST(more_than_may_wait_are_not_taken_for_one_that_runs),
        TEST(a_client_that_hangs_up_ends_its_profile),
        TEST(what_cannot_be_done_is_said),
        TEST(another_member_gets_it_bare_and_signed),
        TEST(head_watches_nobody),
        TEST(bad_parameters_watch_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
