#include "family/tally.h"
#include "server/job.h"
#include "server/profile_counts.h"
#include "server/router.h"
#include "server_fixture.h"
#include "task/losses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct ph_probe probe;
static struct ph_site site;
static struct ph_reply reply;

static int set_up(void **state)
{
    probe = fixture_probe;
    probe.allocator = PH_ALLOCATOR_OTHER;
    probe.allocator_file = "/nowhere/libother.so";
    fixture_counters = (struct ph_probe_counters){0};
    site = fixture_site();
    site.probe = &probe;
    reply = (struct ph_reply){0};
    ph_tally_forked();
    return 0;
}

static int tear_down(void **state)
{
    ph_reply_fini(&reply);
    return 0;
}

static void get(void)
{
    struct ph_request *request = fixture_get(&site, "/metrics");
    ph_route_metrics(request, &reply);
    ph_request_free(request);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.type, "text/plain; version=0.0.4; charset=utf-8");
}

/* A line of its own. */
static void expect(const char *line)
{
    char wanted[256];
    snprintf(wanted, sizeof(wanted), "\n%s\n", line);
    if (!strstr(reply.body.data, wanted))
        fail_msg("no line \"%s\" in:\n%s", line, reply.body.data);
}

static void each_counter_of_the_probe_has_its_own_number(void **state)
{
    fixture_counters = (struct ph_probe_counters){
        .activations_failed = 1,
        .threads_unrecorded = 2,
        .descriptors_unprotected = 3,
        .descriptors_defended = 4,
        .forks = 5,
        .forks_delayed = 6,
        .fork_wait_ns = 1500000007,
        .labels_refused = 9,
        .wakes = 8,
    };
    get();
    expect("porthole_activations_failed_total 1");
    expect("porthole_threads_unrecorded_total 2");
    expect("porthole_descriptors_unprotected_total 3");
    expect("porthole_descriptors_defended_total 4");
    expect("porthole_forks_total 5");
    expect("porthole_forks_delayed_total 6");
    expect("porthole_fork_wait_seconds_total 1.500000007");
    expect("porthole_labels_refused_total 9");
    expect("porthole_wakes_total 8");
}

static void it_tells_version_process_and_start(void **state)
{
    char line[80];
    probe.version = "1.2\"3";
    probe.started_ns = 1795448110500000000;
    get();
    expect("porthole_build_info{version=\"1.2\\\"3\"} 1");
    snprintf(line, sizeof(line), "porthole_process_info{pid=\"%d\",role=\"front\"} 1", (int)getpid());
    expect(line);
    expect("porthole_start_time_seconds 1795448110.5");
    expect("porthole_family_members{role=\"front\"} 1");
    expect("porthole_family_members{role=\"member\"} 0");
}

static void what_is_degraded_is_1_and_the_rest_0(void **state)
{
    probe.degraded = PH_DEGRADED_HEIR;
    get();
    expect("porthole_degraded{what=\"heir\"} 1");
    expect("porthole_degraded{what=\"root\"} 0");
    expect("porthole_degraded{what=\"heap\"} 1"); /* another allocator */
    expect("porthole_heap_sampled 0");
    expect("porthole_heap_sample_bytes 0");
}

static void profiles_are_counted_by_kind_and_what_they_lost_by_reason(void **state)
{
    const struct ph_sampling_counts counts = {.captured = 40, .dropped_full = 3, .unarmed = 5, .tiny_stacks = 6};
    ph_profile_counts_add(PH_PROFILE_WALL);
    ph_losses_add(&counts);
    get();
    expect("porthole_threads 1"); /* of the two one is ours */
    expect("porthole_profiles_total{kind=\"wall\"} 1");
    expect("porthole_profiles_total{kind=\"cpu\"} 0");
    expect("porthole_samples_total 40");
    expect("porthole_samples_dropped_total{reason=\"full\"} 3");
    expect("porthole_threads_unsampled_total{reason=\"limit\"} 5");
    expect("porthole_threads_unsampled_total{reason=\"stack\"} 6");
    expect("porthole_degraded{what=\"lost_samples\"} 1");
    ph_losses_forked();
    ph_profile_counts_forked();
}

static void members_that_did_not_answer_are_counted_by_reason(void **state)
{
    struct ph_tally_round round = {.asked_count = 4};
    round.unanswered_count[PH_UNANSWERED_LATE] = 2;
    round.unanswered_count[PH_UNANSWERED_GONE] = 1;
    ph_tally_add(&round);
    get();
    expect("porthole_family_unanswered_total{reason=\"late\"} 2");
    expect("porthole_family_unanswered_total{reason=\"gone\"} 1");
    expect("porthole_family_unanswered_total{reason=\"broken\"} 0");
    expect("porthole_degraded{what=\"unanswered\"} 1");
}

static void nothing(void *owner)
{
}

static void jobs_are_counted_by_state(void **state)
{
    struct ph_jobs jobs;
    assert_int_equal(ph_jobs_init(&jobs, -1, nothing, NULL), 0);
    jobs.job_count = 7;
    jobs.at_work_count = 4;
    jobs.waiting_count = 2;
    site.jobs = &jobs;
    get();
    expect("porthole_jobs{state=\"working\"} 4");
    expect("porthole_jobs{state=\"queued\"} 1");
    expect("porthole_jobs{state=\"waiting\"} 2");
    ph_jobs_fini(&jobs);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(each_counter_of_the_probe_has_its_own_number),
        TEST(it_tells_version_process_and_start),
        TEST(what_is_degraded_is_1_and_the_rest_0),
        TEST(profiles_are_counted_by_kind_and_what_they_lost_by_reason),
        TEST(members_that_did_not_answer_are_counted_by_reason),
        TEST(jobs_are_counted_by_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
