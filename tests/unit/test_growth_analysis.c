#include "grown.h"
#include "growth/analysis.h"
#include "model/folded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MIB (1024.0 * 1024)

static struct ph_growth_options options_of(enum ph_heap_type metric)
{
    return (struct ph_growth_options){.metric = metric, .by = PH_BY_FUNCTION, .min_change = -1};
}

static struct ph_growth *begin(const struct ph_growth_options *options)
{
    const struct ph_growth_options usual = options_of(PH_HEAP_INUSE_SPACE);
    struct ph_growth *growth = NULL;
    assert_int_equal(ph_growth_new(options ? options : &usual, &growth, NULL), 0);
    return growth;
}

static void add(struct ph_growth *growth, struct ph_profile *take_profile, const char *name)
{
    struct ph_error error = {0};
    if (ph_growth_add(growth, take_profile, name, &error) < 0)
        fail_msg("%s", error.text);
    ph_profile_free(take_profile);
}

static void expect_refused(struct ph_growth *growth, struct ph_profile *take_profile, const char *name,
                           const char *text)
{
    struct ph_error error = {0};
    assert_int_equal(ph_growth_add(growth, take_profile, name, &error), -EINVAL);
    assert_string_equal(error.text, text);
    ph_profile_free(take_profile);
}

static struct ph_growth_report *report_of(struct ph_growth *growth)
{
    struct ph_growth_report *report = NULL;
    struct ph_error error = {0};
    if (ph_growth_report(growth, &report, &error) < 0)
        fail_msg("%s", error.text);
    return report;
}

static struct ph_growth_report *finish(struct ph_growth *take_growth)
{
    struct ph_growth_report *report = report_of(take_growth);
    ph_growth_free(take_growth); /* a report stands for itself */
    return report;
}

static const struct ph_growth_site *find_site(const struct ph_growth_report *report, const char *leaf)
{
    for (size_t i = 0; i < report->site_count; i++)
        if (strcmp(report->frames[report->sites[i].frames[0]].function, leaf) == 0)
            return &report->sites[i];
    fail_msg("no site %s", leaf);
    return NULL;
}

static bool has_warning(const struct ph_growth_report *report, const char *part)
{
    for (size_t i = 0; i < report->warning_count; i++)
        if (strstr(report->warnings[i], part))
            return true;
    return false;
}

/* A server after @seconds: it leaks, and holds a cache and what requests need. */
static struct ph_profile *server(double seconds, int leaked)
{
    struct ph_profile *profile = grown_heap(seconds);
    grown_sampled(profile, "main;serve;login;leak", 5 + leaked);
    grown_sampled(profile, "main;serve;cache", 200);
    grown_sampled(profile, "main;serve;log", 40);
    return profile;
}

static struct ph_growth *two_servers(const struct ph_growth_options *options)
{
    struct ph_growth *growth = begin(options);
    add(growth, server(0, 0), "old");
    add(growth, server(100, 95), "new");
    return growth;
}

/* ---- what is told ---- */

static void two_profiles_tell_what_grew(void **state)
{
    struct ph_growth_report *report = finish(two_servers(NULL));
    const struct ph_growth_site *leak = find_site(report, "leak");
    assert_int_equal(report->profile_count, 2);
    assert_int_equal(report->site_count, 3);
    assert_ptr_equal(leak, &report->sites[0]);
    assert_int_equal(leak->verdict.label, PH_GROWTH_GROWING);
    assert_true(leak->verdict.q < 1e-6);
    assert_true(fabs(leak->verdict.change - 95 * 524288.0) < 0.01 * 95 * 524288);
    assert_true(leak->verdict.low < leak->verdict.change && leak->verdict.change < leak->verdict.high);
    assert_true(leak->verdict.low > 0);
    assert_true(leak->now - leak->base == leak->verdict.change);
    assert_true(fabs(leak->sampled - 100) < 0.1);
    assert_true(fabs(leak->object_change - leak->verdict.change / 1024) < 1);
    assert_int_equal(leak->frame_count, 4);
    assert_string_equal(report->frames[leak->frames[3]].function, "main");
    assert_int_equal(find_site(report, "cache")->verdict.label, PH_GROWTH_NOISE);
    assert_int_equal(report->summary.label_counts[PH_GROWTH_GROWING], 1);
    assert_int_equal(report->summary.label_counts[PH_GROWTH_NOISE], 2);
    assert_int_equal(report->warning_count, 0);
    ph_growth_report_free(report);
}

static void the_summary_tells_the_totals_and_how_sure_they_are(void **state)
{
    struct ph_growth_report *report = finish(two_servers(NULL));
    const struct ph_growth_summary *summary = &report->summary;
    double change = summary->now[PH_HEAP_INUSE_SPACE] - summary->base[PH_HEAP_INUSE_SPACE];
    assert_true(fabs(change - 95 * 524288.0) < 0.01 * 95 * 524288);
    assert_true(summary->now[PH_HEAP_ALLOC_OBJECTS] == 2 * summary->now[PH_HEAP_INUSE_OBJECTS]);
    assert_true(summary->total_low < change && change < summary->total_high);
    assert_true(summary->total_p < 0.001);
    assert_true(fabs(summary->rate_per_second - change / 100) < 1e-6);
    assert_true(isnan(summary->seconds_to_limit));
    assert_true((double)report->profiles[1].totals[PH_HEAP_INUSE_SPACE] == summary->now[PH_HEAP_INUSE_SPACE]);
    assert_true(report->profiles[1].seconds == 100);
    assert_int_equal(report->profiles[1].stack_count, 3);
    assert_int_equal(report->profiles[1].rate_bytes, GROWN_RATE_BYTES);
    assert_string_equal(report->profiles[0].name, "old");
    ph_growth_report_free(report);
}

static void the_place_in_the_tree_is_told(void **state)
{
    struct ph_growth_report *report = finish(two_servers(NULL));
    assert_int_equal(report->inflection_count, 1);
    const struct ph_growth_inflection *place = &report->inflections[0];
    assert_true(place->is_spine);
    assert_int_equal(place->side, PH_SIDE_CALLER);
    assert_string_equal(report->frames[place->frames[place->frame_count - 1]].function, "leak");
    assert_string_equal(report->frames[place->frames[0]].function, "main");
    assert_true(place->share == 1 && place->z > 3);
    ph_growth_report_free(report);
}

/* In use 95 more, allocated twice as many: of what was allocated since, half is still there. */
static void age_and_churn_follow_from_what_was_allocated(void **state)
{
    struct ph_growth_report *report = finish(two_servers(NULL));
    const struct ph_growth_site *leak = find_site(report, "leak"), *cache = find_site(report, "cache");
    assert_true(fabs(leak->alloc_per_second - 2 * leak->verdict.change / 100) < 1e-3);
    assert_true(fabs(leak->age_seconds - (5 + 100) / 2.0 * 100 / 190) < 0.1); /* Little's law */
    assert_true(cache->alloc_per_second == 0);
    assert_true(isnan(cache->age_seconds));
    ph_growth_report_free(report);
}

/* Of 200 samples that were there all the time, 10 came and none is unsure: only what came and went is. */
static void survivors_do_not_blur_a_change(void **state)
{
    for (int by_bytes = 0; by_bytes < 2; by_bytes++) {
        struct ph_growth_options options = options_of(by_bytes ? PH_HEAP_INUSE_SPACE : PH_HEAP_INUSE_OBJECTS);
        struct ph_growth *growth = begin(&options);
        for (int i = 0; i < 2; i++) {
            struct ph_profile *profile = grown_heap(i);
            grown_sampled(profile, "main;cache", 200 + 10 * i); /* and 20 were allocated, 10 freed */
            add(growth, profile, "x");
        }
        struct ph_growth_report *report = finish(growth);
        const struct ph_verdict *verdict = &report->sites[0].verdict;
        double expected = 1.96 * sqrt(30) * 524288 / (by_bytes ? 1 : 1024);
        assert_true(fabs((verdict->high - verdict->low) / 2 - expected) < 0.02 * expected);
        ph_growth_report_free(report);
    }
}

static struct ph_growth_report *until_limit(int64_t limit_bytes)
{
    struct ph_growth_options options = options_of(PH_HEAP_INUSE_SPACE);
    options.limit_bytes = limit_bytes;
    return finish(two_servers(&options));
}

static void a_limit_is_met_at_the_present_rate(void **state)
{
    struct ph_growth_report *report = until_limit(INT64_C(1) << 30);
    double left = 0x1p30 - report->summary.now[PH_HEAP_INUSE_SPACE];
    assert_true(fabs(report->summary.seconds_to_limit - left / report->summary.rate_per_second) < 1e-6);
    ph_growth_report_free(report);
    report = until_limit(1 << 20); /* it is there already */
    assert_true(report->summary.seconds_to_limit == 0);
    ph_growth_report_free(report);
}

static void a_heap_that_does_not_grow_meets_no_limit(void **state)
{
    struct ph_growth_options options = options_of(PH_HEAP_INUSE_SPACE);
    options.limit_bytes = INT64_C(1) << 40;
    struct ph_growth *growth = begin(&options);
    add(growth, server(0, 0), "a");
    add(growth, server(10, 1), "b"); /* up, within noise */
    struct ph_growth_report *report = finish(growth);
    assert_true(report->summary.rate_per_second > 0);
    assert_true(isnan(report->summary.seconds_to_limit));
    assert_int_equal(report->inflection_count, 0);
    ph_growth_report_free(report);
}

static void a_series_tells_since_when_and_what_goes_on(void **state)
{
    struct ph_growth *growth = begin(NULL);
    for (int i = 0; i < 20; i++) {
        struct ph_profile *profile = server(i * 10, i < 10 ? 0 : (i - 9) * 20);
        if (i >= 5)
            grown_sampled(profile, "main;load", 300);
        add(growth, profile, "x");
    }
    struct ph_growth_report *report = finish(growth);
    const struct ph_growth_site *leak = find_site(report, "leak"), *load = find_site(report, "load");
    assert_int_equal(leak->verdict.label, PH_GROWTH_GROWING);
    assert_true(leak->verdict.has_onset);
    assert_in_range(leak->verdict.onset_index, 8, 10);
    assert_true(fabs(leak->verdict.rate_per_second - 2 * 524288.0) < 0.05 * 2 * 524288);
    assert_int_equal(load->verdict.label, PH_GROWTH_STEP);
    assert_true(load->base == 0 && load->values[4] == 0 && load->values[5] == load->now);
    assert_int_equal(report->summary.label_counts[PH_GROWTH_STEP], 1);
    assert_true(report->summary.rate_per_second > 0);
    ph_growth_report_free(report);
}

static void sites_that_grew_come_first_and_then_the_largest_changes(void **state)
{
    struct ph_growth *growth = begin(NULL);
    for (int i = 0; i < 2; i++) {
        struct ph_profile *profile = grown_heap(i);
        grown_sampled(profile, "main;shrinks", i ? 10 : 1000);
        grown_sampled(profile, "main;grows", i ? 200 : 10);
        grown_sampled(profile, "main;grows_more", i ? 300 : 10);
        grown_sampled(profile, "main;stays", 500);
        add(growth, profile, "x");
    }
    struct ph_growth_report *report = finish(growth);
    static const char *const leaves[] = {"grows_more", "grows", "shrinks", "stays"};
    for (size_t i = 0; i < 4; i++)
        assert_ptr_equal(find_site(report, leaves[i]), &report->sites[i]);
    assert_int_equal(report->sites[2].verdict.label, PH_GROWTH_SHRINKING);
    ph_growth_report_free(report);
}

static void changes_below_the_gate_are_not_worth_a_line(void **state)
{
    struct ph_growth_options options = options_of(PH_HEAP_INUSE_SPACE);
    options.min_change = 60 * MIB;
    struct ph_growth_report *report = finish(two_servers(&options));
    assert_int_equal(find_site(report, "leak")->verdict.label, PH_GROWTH_NOISE);
    ph_growth_report_free(report);
}

static void every_metric_is_analysed_alike(void **state)
{
    for (int metric = 0; metric < PH_HEAP_TYPE_COUNT; metric++) {
        struct ph_growth_options options = options_of((enum ph_heap_type)metric);
        struct ph_growth_report *report = finish(two_servers(&options));
        const struct ph_growth_site *leak = find_site(report, "leak");
        bool is_bytes = metric == PH_HEAP_ALLOC_SPACE || metric == PH_HEAP_INUSE_SPACE;
        bool is_alloc = metric == PH_HEAP_ALLOC_SPACE || metric == PH_HEAP_ALLOC_OBJECTS;
        double expected = 95 * 524288.0 / (is_bytes ? 1 : 1024) * (is_alloc ? 2 : 1);
        assert_int_equal(leak->verdict.label, PH_GROWTH_GROWING);
        assert_true(fabs(leak->verdict.change - expected) < 0.01 * expected);
        assert_true(fabs(leak->object_change - 95 * 512 * (is_alloc ? 2 : 1)) < 0.01 * 95 * 512);
        assert_true(leak->verdict.low > 0.4 * expected && leak->verdict.high < 1.6 * expected);
        ph_growth_report_free(report);
    }
}

/* ---- how profiles come ---- */

static void the_order_of_adding_does_not_matter(void **state)
{
    struct ph_growth *growth = begin(NULL);
    add(growth, server(100, 95), "new");
    add(growth, server(0, 0), "old");
    struct ph_growth_report *report = finish(growth);
    assert_string_equal(report->profiles[0].name, "old");
    assert_true(find_site(report, "leak")->verdict.change > 0);
    assert_true(has_warning(report, "in the order of their times"));
    ph_growth_report_free(report);
}

static void without_times_the_order_given_counts(void **state)
{
    struct ph_growth *growth = begin(NULL);
    add(growth, server(-1, 0), "old");
    add(growth, server(-1, 95), "new");
    struct ph_growth_report *report = finish(growth);
    const struct ph_growth_site *leak = find_site(report, "leak");
    assert_false(report->has_times);
    assert_int_equal(leak->verdict.label, PH_GROWTH_GROWING);
    assert_true(isnan(leak->alloc_per_second) && isnan(leak->age_seconds));
    assert_true(isnan(report->summary.rate_per_second));
    assert_true(has_warning(report, "2 of 2 profiles do not say when they were taken"));
    ph_growth_report_free(report);
}

static void a_report_can_be_asked_for_again_after_more_profiles(void **state)
{
    struct ph_growth *growth = begin(NULL);
    struct ph_growth_report *report = NULL;
    struct ph_error error = {0};
    add(growth, server(0, 0), "a");
    assert_int_equal(ph_growth_report(growth, &report, &error), -EINVAL);
    assert_string_equal(error.text, "1 profile, expected at least two to compare");
    add(growth, server(10, 2), "b");
    report = report_of(growth);
    assert_int_equal(find_site(report, "leak")->verdict.label, PH_GROWTH_INSUFFICIENT); /* 5 samples and 7 */
    ph_growth_report_free(report);
    add(growth, server(20, 90), "c");
    report = finish(growth);
    assert_int_equal(report->profile_count, 3);
    assert_true(find_site(report, "leak")->verdict.label >= PH_GROWTH_STEP);
    ph_growth_report_free(report);
}

static struct ph_profile *of_program(double seconds, uint64_t start, const char *file, const char *build_id)
{
    struct ph_profile *profile = grown_heap(seconds);
    grown_mapping(profile, start, file, build_id);
    grown_sampled(profile, "main;serve", 100);
    return profile;
}

static void different_programs_are_not_compared(void **state)
{
    struct ph_growth *growth = begin(NULL);
    add(growth, of_program(0, 0x10000, "/usr/sbin/nginx", "aa"), "a.pb.gz");
    expect_refused(growth, of_program(1, 0x10000, "/usr/bin/redis-server", "bb"), "b.pb.gz",
                   "b.pb.gz is of redis-server, but a.pb.gz of nginx: different programs");
    add(growth, of_program(2, 0x10000, "/usr/sbin/nginx", "aa"), "c.pb.gz");
    struct ph_growth_report *report = finish(growth);
    assert_int_equal(report->profile_count, 2);
    assert_int_equal(report->site_count, 1);
    assert_true(report->sites[0].verdict.change == 0);
    ph_growth_report_free(report);
}

static void a_profile_without_the_metric_is_refused(void **state)
{
    struct ph_growth *growth = begin(NULL);
    struct ph_profile *profile = ph_profile_new();
    ph_profile_add_type(profile, "samples", "count");
    ph_profile_add_type(profile, "cpu", "nanoseconds");
    expect_refused(growth, profile, "cpu.pb.gz", "cpu.pb.gz: it holds no inuse_space, but samples, cpu");
    ph_growth_free(growth);
}

static void profiles_before_a_restart_are_left_out(void **state)
{
    struct ph_growth *growth = begin(NULL);
    for (int i = 0; i < 8; i++)
        add(growth, of_program(i, i < 4 ? 0x10000 : 0x20000, "/bin/s", "aa"), i == 4 ? "fifth" : "x");
    struct ph_growth_report *report = finish(growth);
    assert_int_equal(report->profile_count, 4);
    assert_string_equal(report->profiles[0].name, "fifth");
    assert_true(has_warning(report, "4 profiles before fifth are left out"));
    ph_growth_report_free(report);
}

static void two_builds_are_compared_by_function_and_that_is_said(void **state)
{
    struct ph_growth *growth = begin(NULL);
    add(growth, of_program(0, 0x10000, "/bin/s", "aa"), "old");
    add(growth, of_program(1, 0x20000, "/bin/s", "bb"), "new");
    struct ph_growth_report *report = finish(growth);
    assert_true(report->profiles[1].is_break);
    assert_int_equal(report->site_count, 1);
    assert_true(
        has_warning(report, "new is of another process than old (the build id of the program has changed)"));
    assert_true(isnan(report->sites[0].age_seconds));           /* what was allocated is another process's */
    assert_true(report->sites[0].verdict.high > 20 * 524288.0); /* and nothing survived: both samples are unsure */
    ph_growth_report_free(report);
}

/* ---- families ---- */

static void add_of_process(struct ph_profile *profile, const char *stack, const char *pid, int64_t count)
{
    struct ph_profile *one = grown_heap(0);
    uint32_t frames[8];
    grown_add(one, stack, count, 1024);
    const struct ph_sample *sample = &one->samples[0];
    for (uint32_t i = 0; i < sample->frame_count; i++) {
        const struct ph_location *location = ph_profile_location(one, one->frames[sample->first_frame + i]);
        const struct ph_function *function = &one->functions[one->lines[location->first_line].function - 1];
        frames[i] = grown_location(profile, 0, 0, ph_profile_text(one, function->name), 0);
    }
    struct ph_label label = {.key = ph_profile_string(profile, "pid"), .text = ph_profile_string(profile, pid)};
    ph_profile_add_sample(profile, frames, sample->frame_count, &label, 1, ph_profile_values(one, 0));
    ph_profile_free(one);
}

/* Two workers of the same code; the second one leaks. @workers: their pids. */
static struct ph_profile *of_family(int number, const char *const workers[2])
{
    struct ph_profile *profile = grown_heap(number);
    char comment[64];
    ph_profile_add_comment(profile, "process 100, started 1");
    for (int i = 0; i < 2; i++) {
        snprintf(comment, sizeof(comment), "process %s, started %s", workers[i], workers[i]);
        ph_profile_add_comment(profile, comment);
        add_of_process(profile, "main;serve", workers[i], i ? 50000 + 100000 * number : 50000);
    }
    return profile;
}

static const char *const workers[] = {"101", "102"}, *const later_workers[] = {"103", "104"};

static void a_stack_of_several_processes_is_one_site(void **state)
{
    struct ph_growth *growth = begin(NULL);
    for (int i = 0; i < 4; i++)
        add(growth, of_family(i, workers), "x");
    struct ph_growth_report *report = finish(growth);
    assert_int_equal(report->site_count, 1);
    assert_int_equal(report->warning_count, 0);
    assert_int_equal(report->sites[0].frame_count, 2);
    assert_false(isnan(report->sites[0].age_seconds));
    ph_growth_report_free(report);
}

static void by_pid_each_process_has_its_own_sites(void **state)
{
    struct ph_growth_options options = options_of(PH_HEAP_INUSE_SPACE);
    options.by = PH_BY_PID;
    struct ph_growth *growth = begin(&options);
    for (int i = 0; i < 4; i++)
        add(growth, of_family(i, workers), "x");
    struct ph_growth_report *report = finish(growth);
    assert_int_equal(report->site_count, 2);
    const struct ph_growth_site *site = &report->sites[0];
    assert_int_equal(site->verdict.label, PH_GROWTH_GROWING);
    assert_int_equal(site->frame_count, 3);
    assert_string_equal(report->frames[site->frames[0]].function, "serve");
    assert_string_equal(report->frames[site->frames[2]].function, "process 102");
    assert_int_equal(report->sites[1].verdict.label, PH_GROWTH_NOISE);
    ph_growth_report_free(report);
}

static void by_pid_a_process_alone_is_that_of_the_comment(void **state)
{
    struct ph_growth_options options = options_of(PH_HEAP_INUSE_SPACE);
    options.by = PH_BY_PID;
    struct ph_growth *growth = begin(&options);
    for (int i = 0; i < 2; i++) {
        struct ph_profile *profile = grown_heap(i);
        ph_profile_add_comment(profile, "process 100, started 1");
        if (i == 0)
            grown_add(profile, "main;serve", 50000, 1024);
        else
            add_of_process(profile, "main;serve", "100", 50000);
        if (i)
            ph_profile_add_comment(profile, "process 101, started 2");
        add(growth, profile, "x");
    }
    struct ph_growth_report *report = finish(growth);
    assert_int_equal(report->site_count, 1);
    assert_string_equal(report->frames[report->sites[0].frames[2]].function, "process 100");
    ph_growth_report_free(report);
}

static void workers_that_come_and_go_are_no_restart(void **state)
{
    struct ph_growth *growth = begin(NULL);
    for (int i = 0; i < 6; i++)
        add(growth, of_family(i, i < 3 ? workers : later_workers), "x");
    struct ph_growth_report *report = finish(growth);
    assert_int_equal(report->profile_count, 6);
    for (size_t i = 0; i < 6; i++)
        assert_false(report->profiles[i].is_break);
    assert_true(has_warning(report, "2 of the 3 processes of x are not in x any more"));
    assert_true(isnan(report->sites[0].age_seconds)); /* what ended workers had allocated is not known */
    assert_true(isnan(report->sites[0].alloc_per_second));
    ph_growth_report_free(report);
}

/* One after the other, and at last the first process itself. */
static void a_family_whose_processes_have_all_been_replaced_is_still_the_same(void **state)
{
    static const char *const steps[][2] = {{"100", "101"}, {"101", "102"}, {"102", "103"}};
    struct ph_growth *growth = begin(NULL);
    for (int i = 0; i < 3; i++) {
        struct ph_profile *profile = grown_heap(i);
        for (int j = 0; j < 2; j++) {
            char comment[64];
            snprintf(comment, sizeof(comment), "process %s, started %s", steps[i][j], steps[i][j]);
            ph_profile_add_comment(profile, comment);
            add_of_process(profile, "main;serve", steps[i][j], 50000);
        }
        add(growth, profile, "x");
    }
    struct ph_growth_report *report = finish(growth);
    assert_int_equal(report->profile_count, 3);
    assert_true(has_warning(report, "2 of the 2 processes of x are not in x any more"));
    ph_growth_report_free(report);
}

static void a_process_that_did_not_answer_is_told(void **state)
{
    struct ph_growth *growth = begin(NULL);
    for (int i = 0; i < 3; i++) {
        struct ph_profile *profile = of_family(i, workers);
        if (i == 1)
            ph_profile_add_comment(profile, "process 103 (server) did not answer in 2 s");
        add(growth, profile, i == 1 ? "second" : "x");
    }
    struct ph_growth_report *report = finish(growth);
    assert_int_equal(report->warning_count, 1);
    assert_true(has_warning(report, "second is without 1 process that did not answer: what it holds is missing"));
    ph_growth_report_free(report);
}

static void mixed_sampling_rates_are_compared_by_estimates(void **state)
{
    struct ph_growth *growth = begin(NULL);
    for (int i = 0; i < 2; i++) {
        struct ph_profile *profile = grown_heap(i);
        profile->period = i ? GROWN_RATE_BYTES / 8 : GROWN_RATE_BYTES; /* eight times the samples */
        grown_add(profile, "main;stays", 50000, 1024);
        grown_add(profile, "main;grows", i ? 200000 : 10000, 1024);
        add(growth, profile, "x");
    }
    struct ph_growth_report *report = finish(growth);
    assert_int_equal(find_site(report, "stays")->verdict.label, PH_GROWTH_NOISE);
    assert_true(find_site(report, "stays")->verdict.growth_p > 0.01);
    assert_int_equal(find_site(report, "grows")->verdict.label, PH_GROWTH_GROWING);
    assert_true(has_warning(report, "the sampling rates differ (64 KiB to 512 KiB)"));
    ph_growth_report_free(report);
}

static void folded_stacks_hold_the_metric_and_nothing_else(void **state)
{
    struct ph_growth *growth = begin(NULL);
    static const char *const texts[] = {"main;serve;leak 100000\nmain;serve 900000000\n",
                                        "main;serve;leak 500000000\nmain;serve 900000000\n"};
    for (int i = 0; i < 2; i++) {
        struct ph_profile *profile = NULL;
        assert_int_equal(ph_folded_read(texts[i], strlen(texts[i]), "inuse_space", "bytes", &profile, NULL), 0);
        add(growth, profile, "x");
    }
    struct ph_growth_report *report = finish(growth);
    const struct ph_growth_site *leak = find_site(report, "leak");
    assert_int_equal(leak->verdict.label, PH_GROWTH_GROWING);
    assert_true(isnan(leak->object_change) && isnan(leak->alloc_per_second));
    assert_int_equal(report->profiles[0].totals[PH_HEAP_ALLOC_SPACE], -1);
    assert_true(isnan(report->summary.base[PH_HEAP_INUSE_OBJECTS]));
    assert_true(has_warning(report, "2 profiles do not tell the sampling rate"));
    ph_growth_report_free(report);
}

static void a_difference_of_profiles_is_noticed(void **state)
{
    struct ph_growth *growth = begin(NULL);
    add(growth, server(0, 0), "a");
    struct ph_profile *profile = server(1, 0);
    grown_add(profile, "main;gone", -5, 100);
    add(growth, profile, "b");
    struct ph_growth_report *report = finish(growth);
    assert_true(has_warning(report, "b holds negative values"));
    assert_false(has_warning(report, "a holds negative values"));
    ph_growth_report_free(report);
}

static void what_the_filter_drops_is_in_no_total(void **state)
{
    struct ph_growth_options options = options_of(PH_HEAP_INUSE_SPACE);
    options.focus = "leak";
    struct ph_growth_report *report = finish(two_servers(&options));
    assert_int_equal(report->site_count, 1);
    assert_int_equal(report->profiles[0].stack_count, 1);
    assert_true(report->summary.now[PH_HEAP_INUSE_SPACE] == report->sites[0].now);
    ph_growth_report_free(report);
}

static void wrong_options_are_named(void **state)
{
    struct ph_growth_options options = options_of(PH_HEAP_INUSE_SPACE);
    struct ph_growth *growth = NULL;
    struct ph_error error = {0};
    options.false_discovery_rate = 1.5;
    assert_int_equal(ph_growth_new(&options, &growth, &error), -EINVAL);
    assert_non_null(strstr(error.text, "false discovery rate 1.5"));
    options.false_discovery_rate = 0;
    options.ignore = "[";
    assert_int_equal(ph_growth_new(&options, &growth, &error), -EINVAL);
    assert_non_null(strstr(error.text, "ignore \"[\""));
    ph_growth_free(NULL);
}

static void profiles_of_an_empty_heap_are_no_error(void **state)
{
    struct ph_growth *growth = begin(NULL);
    add(growth, grown_heap(0), "a");
    add(growth, grown_heap(1), "b");
    struct ph_growth_report *report = finish(growth);
    assert_int_equal(report->site_count, 0);
    assert_int_equal(report->inflection_count, 0);
    assert_true(report->summary.now[PH_HEAP_INUSE_SPACE] == 0);
    ph_growth_report_free(report);
}

/* Each of many call sites with too small a share to be shown by it: the ten largest are, and the total grew. */
static void growth_that_is_spread_evenly_is_growth(void **state)
{
    struct ph_growth *growth = begin(NULL);
    for (int i = 0; i < 12; i++) {
        struct ph_profile *profile = grown_heap(i * 10);
        for (int site = 0; site < 80; site++) {
            char stack[32];
            snprintf(stack, sizeof(stack), "main;serve;handler%d", site);
            grown_sampled(profile, stack, 20 + 10 * i + site % 7);
        }
        add(growth, profile, "x");
    }
    struct ph_growth_report *report = finish(growth);
    assert_true(report->summary.label_counts[PH_GROWTH_GROWING] >= 10);
    assert_int_equal(report->summary.total_label, PH_GROWTH_GROWING);
    ph_growth_report_free(report);
    (void)state;
}

static void a_still_total_is_noise(void **state)
{
    struct ph_growth *growth = begin(NULL);
    for (int i = 0; i < 12; i++) {
        struct ph_profile *profile = grown_heap(i * 10);
        grown_sampled(profile, "main;serve", 100 + (i * 7) % 11);
        add(growth, profile, "x");
    }
    struct ph_growth_report *report = finish(growth);
    assert_int_equal(report->summary.total_label, PH_GROWTH_NOISE);
    ph_growth_report_free(report);
    (void)state;
}

/* Text formats tell no build ids. */
static void a_file_without_build_id_is_the_one_of_that_name(void **state)
{
    static const char *const ids[] = {"", "aa", "", "aa"};
    struct ph_growth *growth = begin(NULL);
    for (int i = 0; i < 4; i++) {
        struct ph_profile *profile = grown_heap(i);
        uint32_t mapping = grown_mapping(profile, 0x10000, "/usr/bin/server", ids[i]);
        uint32_t frame = grown_location(profile, mapping, 0x10010, NULL, 0);
        int64_t values[] = {100, 100 << 20, 100, 100 << 20};
        ph_profile_add_sample(profile, &frame, 1, NULL, 0, values);
        add(growth, profile, "x");
    }
    struct ph_growth_report *report = finish(growth);
    assert_int_equal(report->site_count, 1);
    ph_growth_report_free(report);
    (void)state;
}

static struct ph_profile *named(double seconds, const char *root)
{
    char stack[64];
    struct ph_profile *profile = grown_heap(seconds);
    for (int i = 0; i < 10; i++) {
        snprintf(stack, sizeof(stack), "%smain;serve%d", root, i);
        grown_sampled(profile, stack, 10);
    }
    return profile;
}

static void profiles_whose_stacks_do_not_meet_are_told_of(void **state)
{
    struct ph_growth *growth = begin(NULL);
    add(growth, named(0, ""), "binary");
    add(growth, named(1, "?;"), "text");
    struct ph_growth_report *report = finish(growth);
    assert_true(has_warning(report, "binary and text share hardly a stack"));
    ph_growth_report_free(report);
    growth = begin(NULL);
    add(growth, named(0, "?;"), "a");
    add(growth, named(1, "?;"), "b");
    report = finish(growth);
    assert_false(has_warning(report, "hardly a stack"));
    ph_growth_report_free(report);
    (void)state;
}

static void shares_are_of_the_growth_in_the_report(void **state)
{
    struct ph_growth *growth = begin(NULL);
    for (int i = 0; i < 2; i++) {
        struct ph_profile *profile = named(i, "");
        grown_sampled(profile, "main;leak", 10 + 200 * i);
        add(growth, profile, i ? "new" : "old");
    }
    struct ph_growth_report *report = finish(growth);
    assert_true(report->inflection_count > 0);
    for (size_t i = 0; i < report->inflection_count; i++)
        assert_true(fabs(report->inflections[i].share - report->inflections[i].growth / report->growth) < 1e-9);
    assert_true(report->growth >= find_site(report, "leak")->verdict.change);
    ph_growth_report_free(report);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_profiles_tell_what_grew),
        cmocka_unit_test(the_summary_tells_the_totals_and_how_sure_they_are),
        cmocka_unit_test(the_place_in_the_tree_is_told),
        cmocka_unit_test(age_and_churn_follow_from_what_was_allocated),
        cmocka_unit_test(survivors_do_not_blur_a_change),
        cmocka_unit_test(a_limit_is_met_at_the_present_rate),
        cmocka_unit_test(a_heap_that_does_not_grow_meets_no_limit),
        cmocka_unit_test(a_series_tells_since_when_and_what_goes_on),
        cmocka_unit_test(sites_that_grew_come_first_and_then_the_largest_changes),
        cmocka_unit_test(changes_below_the_gate_are_not_worth_a_line),
        cmocka_unit_test(every_metric_is_analysed_alike),
        cmocka_unit_test(the_order_of_adding_does_not_matter),
        cmocka_unit_test(without_times_the_order_given_counts),
        cmocka_unit_test(a_report_can_be_asked_for_again_after_more_profiles),
        cmocka_unit_test(different_programs_are_not_compared),
        cmocka_unit_test(a_profile_without_the_metric_is_refused),
        cmocka_unit_test(profiles_before_a_restart_are_left_out),
        cmocka_unit_test(two_builds_are_compared_by_function_and_that_is_said),
        cmocka_unit_test(a_stack_of_several_processes_is_one_site),
        cmocka_unit_test(by_pid_each_process_has_its_own_sites),
        cmocka_unit_test(by_pid_a_process_alone_is_that_of_the_comment),
        cmocka_unit_test(workers_that_come_and_go_are_no_restart),
        cmocka_unit_test(a_family_whose_processes_have_all_been_replaced_is_still_the_same),
        cmocka_unit_test(a_process_that_did_not_answer_is_told),
        cmocka_unit_test(mixed_sampling_rates_are_compared_by_estimates),
        cmocka_unit_test(folded_stacks_hold_the_metric_and_nothing_else),
        cmocka_unit_test(a_difference_of_profiles_is_noticed),
        cmocka_unit_test(what_the_filter_drops_is_in_no_total),
        cmocka_unit_test(wrong_options_are_named),
        cmocka_unit_test(profiles_of_an_empty_heap_are_no_error),
        cmocka_unit_test(profiles_whose_stacks_do_not_meet_are_told_of),
        cmocka_unit_test(shares_are_of_the_growth_in_the_report),
        cmocka_unit_test(growth_that_is_spread_evenly_is_growth),
        cmocka_unit_test(a_still_total_is_noise),
        cmocka_unit_test(a_file_without_build_id_is_the_one_of_that_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
