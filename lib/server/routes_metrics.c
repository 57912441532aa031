/* routes_metrics.c - /metrics: what Porthole knows of itself, and what it could not see. Of the process that answers. */
#include "model/prometheus.h"
#include "server/facts.h"
#include "server/job.h"
#include "server/profile_counts.h"
#include "server/router.h"
#include "task/losses.h"

#include <stdio.h>

/* One row for each number of struct ph_probe_counters. */
static const struct counter {
    struct ph_metric metric;
    size_t offset;
    bool is_time;
} counters[] = {
#define COUNTER(member, help)                                                                                      \
    {                                                                                                              \
        {PH_METRIC_COUNTER, "porthole_" #member, NULL, help}, COUNTER_AT(member), false                            \
    }
#define COUNTER_AT(member) offsetof(struct ph_probe_counters, member)
    COUNTER(activations_failed, "Times that the window could not be opened."),
    COUNTER(threads_unrecorded, "Threads that are missing in threadcreate, as the table was full."),
    COUNTER(descriptors_unprotected,
            "Descriptors of Porthole that the program could close, as their numbers were too high."),
    COUNTER(descriptors_defended,
            "Calls of the program that would have closed or replaced a descriptor of Porthole."),
    COUNTER(forks, "Calls of fork() while the window was open or opening."),
    COUNTER(forks_delayed, "Calls of fork() that had to wait for Porthole."),
    {{PH_METRIC_COUNTER, "porthole_fork_wait", "seconds", "How long calls of fork() waited for Porthole, in sum."},
     COUNTER_AT(fork_wait_ns),
     true},
    COUNTER(labels_refused,
            "Calls of porthole_label_set() that had no room for one more set of labels, or too long ones."),
    COUNTER(wakes, "Forked children that opened a window of their own: this process and its ancestors."),
#undef COUNTER_AT
#undef COUNTER
};

#define COUNTER_COUNT (sizeof(counters) / sizeof(counters[0]))
_Static_assert(COUNTER_COUNT * sizeof(uint64_t) == sizeof(struct ph_probe_counters), "a counter has no row");

static void add_counters(const struct ph_probe_counters *values, struct ph_buf *out)
{
    for (size_t i = 0; i < COUNTER_COUNT; i++) {
        uint64_t value = *(const uint64_t *)(const void *)((const char *)values + counters[i].offset);
        ph_prometheus_begin(out, &counters[i].metric);
        if (counters[i].is_time)
            ph_prometheus_time(out, &counters[i].metric, NULL, 0, value);
        else
            ph_prometheus_value(out, &counters[i].metric, NULL, 0, value);
    }
}

static void add_gauge(const char *name, const char *unit, const char *help, uint64_t value, struct ph_buf *out)
{
    const struct ph_metric metric = {PH_METRIC_GAUGE, name, unit, help};
    ph_prometheus_begin(out, &metric);
    ph_prometheus_value(out, &metric, NULL, 0, value);
}

/* A value of a metric with one label. */
static void add_labelled(const struct ph_metric *metric, const char *label, const char *text, uint64_t value,
                         struct ph_buf *out)
{
    const struct ph_metric_label labels[] = {{label, text}};
    ph_prometheus_value(out, metric, labels, 1, value);
}

static const struct ph_listed *self_of(const struct ph_facts *facts)
{
    return ph_members_find(&facts->members, facts->self.pid);
}

static void add_identity(const struct ph_probe *probe, const struct ph_facts *facts, struct ph_buf *out)
{
    static const struct ph_metric build = {PH_METRIC_INFO, "porthole_build", NULL, "The version of Porthole."};
    static const struct ph_metric process = {PH_METRIC_INFO, "porthole_process", NULL,
                                             "The process that gave this answer: all numbers but those of "
                                             "porthole_family_members are its own."};
    static const struct ph_metric start = {PH_METRIC_GAUGE, "porthole_start_time", "seconds",
                                           "When the process began to carry Porthole, or was forked, since 1970."};
    char pid[16];
    const struct ph_listed *self = self_of(facts);
    snprintf(pid, sizeof(pid), "%d", (int)facts->self.pid);
    const struct ph_metric_label labels[] = {{"pid", pid}, {"role", self && self->is_front ? "front" : "member"}};
    ph_prometheus_begin(out, &build);
    add_labelled(&build, "version", probe->version, 1, out);
    ph_prometheus_begin(out, &process);
    ph_prometheus_value(out, &process, labels, 2, 1);
    ph_prometheus_begin(out, &start);
    ph_prometheus_time(out, &start, NULL, 0, (uint64_t)probe->started_ns);
}

static void add_heap(const struct ph_heap_state *heap, struct ph_buf *out)
{
    add_gauge("porthole_heap_sampled", NULL, "1 if there are heap profiles; porthole_degraded tells why not.",
              heap->unsampled.code == 0, out);
    add_gauge("porthole_heap_sample", "bytes", "Mean distance of two samples; 0 if the heap is not sampled.",
              heap->sample_bytes, out);
    add_gauge("porthole_heap_allocated", "bytes",
              "What the program holds by malloc(), as its allocator counts; 0 if that does not tell.",
              heap->allocated_bytes, out);
}

static void add_family(const struct ph_facts *facts, struct ph_buf *out)
{
    static const struct ph_metric members = {PH_METRIC_GAUGE, "porthole_family_members", NULL,
                                             "Processes behind this endpoint; the front serves its port."};
    static const struct ph_metric unanswered = {PH_METRIC_COUNTER, "porthole_family_unanswered", NULL,
                                                "Answers of other processes that are missing in profiles of all."};
    size_t front_count = facts->members.count && facts->members.items[0].is_front;
    ph_prometheus_begin(out, &members);
    add_labelled(&members, "role", "front", front_count, out);
    add_labelled(&members, "role", "member", facts->members.count - front_count, out);
    ph_prometheus_begin(out, &unanswered);
    for (int i = 0; i < PH_UNANSWERED_KINDS; i++)
        add_labelled(&unanswered, "reason", ph_unanswered_name((enum ph_unanswered)i),
                     facts->tally.unanswered_count[i], out);
}

static void add_degraded(const struct ph_notice_facts *amiss, struct ph_buf *out)
{
    static const struct ph_metric degraded = {
        PH_METRIC_GAUGE, "porthole_degraded", NULL,
        "1 for what does not work in this process; /debug/ tells why, and the "
        "way out."};
    size_t count;
    const struct ph_notice *notices = ph_notices(&count);
    ph_prometheus_begin(out, &degraded);
    for (size_t i = 0; i < count; i++)
        add_labelled(&degraded, "what", notices[i].name, ph_notice_holds(&notices[i], amiss), out);
}

static void add_profiles(struct ph_buf *out)
{
    static const struct ph_metric made = {PH_METRIC_COUNTER, "porthole_profiles", NULL,
                                          "Profiles made of this process, by kind; also as parts of those of all."};
    static const struct ph_metric samples = {PH_METRIC_COUNTER, "porthole_samples", NULL,
                                             "Samples taken on the program's threads for CPU profiles."};
    static const struct ph_metric dropped = {PH_METRIC_COUNTER, "porthole_samples_dropped", NULL,
                                             "Samples that CPU profiles have lost: they came too fast (full)."};
    static const struct ph_metric unsampled = {PH_METRIC_COUNTER, "porthole_threads_unsampled", NULL,
                                               "Threads that CPU profiles lack: no timer was to be had (limit), or "
                                               "their alternate signal stack is too small (stack)."};
    struct ph_sampling_counts losses = ph_losses_read();
    ph_prometheus_begin(out, &made);
    for (int i = 0; i < PH_PROFILE_KINDS; i++)
        add_labelled(&made, "kind", ph_profile_kind_name((enum ph_profile_kind)i),
                     ph_profile_counts_read((enum ph_profile_kind)i), out);
    ph_prometheus_begin(out, &samples);
    ph_prometheus_value(out, &samples, NULL, 0, losses.captured);
    ph_prometheus_begin(out, &dropped);
    add_labelled(&dropped, "reason", "full", losses.dropped_full, out);
    ph_prometheus_begin(out, &unsampled);
    add_labelled(&unsampled, "reason", "limit", losses.unarmed, out);
    add_labelled(&unsampled, "reason", "stack", losses.tiny_stacks, out);
}

static void add_jobs(struct ph_jobs *jobs, struct ph_buf *out)
{
    static const struct ph_metric metric = {
        PH_METRIC_GAUGE, "porthole_jobs", NULL,
        "Requests that take longer: at work, waiting for a place to work, waiting "
        "for seconds to pass."};
    struct ph_job_counts counts = {0};
    if (jobs)
        counts = ph_jobs_count(jobs);
    ph_prometheus_begin(out, &metric);
    add_labelled(&metric, "state", "working", counts.working, out);
    add_labelled(&metric, "state", "queued", counts.queued, out);
    add_labelled(&metric, "state", "waiting", counts.waiting, out);
}

void ph_route_metrics(struct ph_request *request, struct ph_reply *reply)
{
    struct ph_facts facts;
    struct ph_buf *out = &reply->body;
    int status = ph_facts_gather(request->site, &facts);
    if (status < 0) {
        ph_reply_failure(request, reply, status, NULL);
        return;
    }
    ph_reply_begin(reply, PH_PROMETHEUS_TYPE);
    add_identity(request->site->probe, &facts, out);
    add_counters(&facts.amiss.counters, out);
    add_heap(&facts.heap, out);
    add_gauge("porthole_threads", NULL, "Threads of the program.", facts.thread_count, out);
    add_profiles(out);
    add_family(&facts, out);
    add_degraded(&facts.amiss, out);
    add_jobs(request->site->jobs, out);
    ph_facts_fini(&facts);
}
