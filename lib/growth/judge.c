#include "growth/judge.h"

#include "growth/discovery.h"
#include "growth/metric.h"
#include "growth/noise.h"
#include "growth/pair.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define POOLED_MIN 6 /* samples over all profiles: 2^-5 is the least p that fewer could ever give */
#define GATE_SHARE 0.02
#define TOP_COUNT  10
#define TOTAL_P    0.001 /* one look, not thousands; but an exit status hangs on it */
#define GATE_BYTES (1024.0 * 1024)

struct judge {
    struct ph_report_maker *maker;
    size_t point_count;
    struct ph_series series; /* of the site at hand; points to these three: */
    double *value, *sampled, *variance;
    bool is_one_process;
    struct ph_point *points, first, last; /* points: in the order of adding */
    uint32_t *sites;                      /* these two by place in report->sites, before they are sorted */
    bool *is_tested;
    struct ph_path_change *changes;
};

/* ---- series ---- */

/* Is the type held at both ends? */
static bool is_known(const struct judge *judge, enum ph_heap_type type)
{
    const struct ph_report_maker *maker = judge->maker;
    return !isnan(ph_maker_added(maker, 0)->totals[type]) &&
           !isnan(ph_maker_added(maker, judge->point_count - 1)->totals[type]);
}

static double difference(const struct judge *judge, enum ph_heap_type type)
{
    return judge->last.values[type] - judge->first.values[type];
}

/* See noise.h. What was allocated in all has only been added to: nothing is freed from it. */
static double churn_variance(const struct judge *judge)
{
    enum ph_heap_type metric = judge->maker->growth->options.metric;
    enum ph_heap_type objects = ph_heap_type_objects(metric), space = ph_heap_type_space(metric);
    const struct ph_point *first = &judge->first, *last = &judge->last;
    if (!judge->series.is_same_rate || !is_known(judge, PH_HEAP_ALLOC_SPACE) || !is_known(judge, space) ||
        !judge->is_one_process)
        return -1;
    double rate_bytes = ph_maker_added(judge->maker, 0)->rate_bytes;
    double variance =
        ph_churn_variance(difference(judge, PH_HEAP_ALLOC_SPACE), difference(judge, space), rate_bytes);
    if (ph_heap_type_is_bytes(metric) || variance < 0)
        return variance;
    double count = first->values[objects] + last->values[objects];
    double mean_bytes = (first->values[space] + last->values[space]) / count;
    return count > 0 && mean_bytes > 0 ? variance / (mean_bytes * mean_bytes) : -1;
}

/* Put a site's points in the order of time. Is any of them not zero? */
static bool load_series(struct judge *judge, uint32_t site)
{
    const struct ph_report_maker *maker = judge->maker;
    enum ph_heap_type metric = maker->growth->options.metric;
    bool is_any = false;
    ph_history_read(&maker->growth->history, site, judge->points);
    for (size_t i = 0; i < judge->point_count; i++) {
        const struct ph_point *point = &judge->points[maker->timeline.order[i]];
        judge->value[i] = point->values[metric];
        judge->sampled[i] = (double)point->sampled;
        judge->variance[i] = (double)point->variance;
        for (int type = 0; type < PH_HEAP_TYPE_COUNT; type++)
            is_any |= point->values[type] != 0;
    }
    judge->first = judge->points[maker->timeline.order[0]];
    judge->last = judge->points[maker->timeline.order[judge->point_count - 1]];
    judge->series.churn_variance = churn_variance(judge);
    return is_any;
}

/* ---- what else is told of a site ---- */

/* Little's law: as many objects as live on average, each for the mean age, are allocated in that time. */
static void tell_allocations(const struct judge *judge, struct ph_growth_site *site)
{
    double seconds = judge->series.seconds[judge->point_count - 1];
    double objects = difference(judge, PH_HEAP_ALLOC_OBJECTS), bytes = difference(judge, PH_HEAP_ALLOC_SPACE);
    double living = (judge->first.values[PH_HEAP_INUSE_OBJECTS] + judge->last.values[PH_HEAP_INUSE_OBJECTS]) / 2;
    bool has_rate = judge->maker->timeline.has_times && judge->is_one_process;
    site->age_seconds = site->alloc_per_second = NAN;
    if (has_rate && is_known(judge, PH_HEAP_ALLOC_SPACE) && bytes >= 0)
        site->alloc_per_second = bytes / seconds;
    if (has_rate && is_known(judge, PH_HEAP_ALLOC_OBJECTS) && is_known(judge, PH_HEAP_INUSE_OBJECTS) && objects > 0)
        site->age_seconds = living * seconds / objects;
}

static void *copy(struct ph_arena *memory, const void *from, size_t size_bytes)
{
    void *to = ph_arena_alloc(memory, size_bytes);
    if (to && size_bytes)
        memcpy(to, from, size_bytes);
    return to;
}

static int tell_site(struct judge *judge, uint32_t number, struct ph_growth_site *site)
{
    struct ph_growth_report *report = judge->maker->report;
    enum ph_heap_type objects = ph_heap_type_objects(report->metric);
    uint32_t frame_count;
    const uint32_t *frames = ph_sites_stack(&judge->maker->growth->sites, number, &frame_count);
    *site = (struct ph_growth_site){
        .frames = copy(&report->memory, frames, frame_count * sizeof(*frames)),
        .frame_count = frame_count,
        .values = copy(&report->memory, judge->value, judge->point_count * sizeof(*judge->value)),
        .base = judge->value[0],
        .now = judge->value[judge->point_count - 1],
        .sampled = (double)judge->last.sampled,
        .object_change = is_known(judge, objects) ? difference(judge, objects) : NAN,
    };
    tell_allocations(judge, site);
    return site->frames && site->values ? ph_verdict_test(&judge->series, &site->verdict) : -ENOMEM;
}

static struct ph_path_change change_of(const struct judge *judge)
{
    struct ph_path_change change = {.now = judge->value[judge->point_count - 1]};
    change.change = ph_series_change(&judge->series, &change.variance);
    return change;
}

static double pooled(const struct judge *judge)
{
    double sum = 0;
    for (size_t i = 0; i < judge->point_count; i++)
        sum += judge->sampled[i];
    return sum;
}

/* ---- all sites ---- */

static int test_sites(struct judge *judge)
{
    struct ph_growth_report *report = judge->maker->report;
    uint32_t site_count = ph_sites_count(&judge->maker->growth->sites);
    int status = 0;
    for (uint32_t number = 0; number < site_count && status == 0; number++) {
        struct ph_growth_site *site = &report->sites[report->site_count];
        if (!load_series(judge, number))
            continue;
        status = tell_site(judge, number, site);
        judge->changes[number] = change_of(judge);
        judge->is_tested[report->site_count] = pooled(judge) >= POOLED_MIN;
        judge->sites[report->site_count++] = number;
    }
    return status;
}

/* Stacks with too few samples to be discovered at all are left out of the number of tests, which is no look at the
 * outcome: how many samples there are in all does not tell whether they came early or late. */
static int correct(struct judge *judge)
{
    struct ph_growth_report *report = judge->maker->report;
    double *q = calloc(report->site_count + 1, sizeof(*q));
    size_t count = 0;
    if (!q)
        return -ENOMEM;
    for (size_t i = 0; i < report->site_count; i++)
        if (judge->is_tested[i])
            q[count++] = ph_verdict_p(&report->sites[i].verdict);
    int status = ph_discovery_bh(q, count, report->is_strict, q);
    count = 0;
    for (size_t i = 0; i < report->site_count && status == 0; i++)
        report->sites[i].verdict.q = judge->is_tested[i] ? q[count++] : 1;
    free(q);
    return status;
}

static void sort_in(double top[TOP_COUNT], double change)
{
    for (size_t i = 0; i < TOP_COUNT; i++)
        if (change > top[i]) {
            double lower = top[i];
            top[i] = change;
            change = lower;
        }
}

/* What the share is of. Growth that is spread evenly over a hundred stacks has none with a share of 2 %, and is growth all
 * the same: the ten largest pass. */
static double growth_of_discovered(const struct ph_growth_report *report)
{
    double growth = 0, top[TOP_COUNT] = {0};
    for (size_t i = 0; i < report->site_count; i++) {
        double change = report->sites[i].verdict.change;
        if (report->sites[i].verdict.q > report->false_discovery_rate || !(change > 0))
            continue;
        growth += change;
        sort_in(top, change);
    }
    return top[TOP_COUNT - 1] > 0 ? fmin(growth, top[TOP_COUNT - 1] / GATE_SHARE) : growth;
}

/* The least change that is worth a line, in units of the metric. */
static double least_change(const struct judge *judge)
{
    enum ph_heap_type metric = judge->maker->growth->options.metric;
    double given = judge->maker->growth->options.min_change;
    const struct ph_growth_added *last = ph_maker_added(judge->maker, judge->point_count - 1);
    double mean_bytes = last->totals[ph_heap_type_space(metric)] / last->totals[ph_heap_type_objects(metric)];
    if (given >= 0)
        return given;
    if (ph_heap_type_is_bytes(metric))
        return GATE_BYTES;
    /* Without sizes, only the share of growth is asked for. */
    return mean_bytes > 0 && isfinite(mean_bytes) ? GATE_BYTES / mean_bytes : 0;
}

static int label_sites(struct judge *judge)
{
    struct ph_growth_report *report = judge->maker->report;
    const struct ph_gates gates = {least_change(judge), GATE_SHARE, growth_of_discovered(report),
                                   report->false_discovery_rate};
    int status = 0;
    for (size_t i = 0; i < report->site_count && status == 0; i++) {
        struct ph_growth_site *site = &report->sites[i];
        if (fabs(site->verdict.change) < gates.min_change) { /* which most are */
            site->verdict.label = PH_GROWTH_NOISE;
        } else {
            load_series(judge, judge->sites[i]);
            status = ph_verdict_label(&judge->series, &gates, &site->verdict);
        }
        report->summary.label_counts[site->verdict.label]++;
    }
    return status;
}

static bool has_grown(const struct ph_growth_site *site)
{
    return site->verdict.label >= PH_GROWTH_PLATEAU;
}

/* So that equal changes come in the same order each time. */
static int by_stack(const struct ph_growth_site *x, const struct ph_growth_site *y)
{
    for (uint32_t i = 0; i < x->frame_count && i < y->frame_count; i++)
        if (x->frames[i] != y->frames[i])
            return x->frames[i] < y->frames[i] ? -1 : 1;
    return (x->frame_count > y->frame_count) - (x->frame_count < y->frame_count);
}

static int by_growth(const void *a, const void *b)
{
    const struct ph_growth_site *x = a, *y = b;
    if (has_grown(x) != has_grown(y))
        return has_grown(x) ? -1 : 1;
    double change_x = fabs(x->verdict.change), change_y = fabs(y->verdict.change);
    if (change_x != change_y)
        return change_x < change_y ? 1 : -1;
    return by_stack(x, y);
}

static int judge_all(struct judge *judge)
{
    struct ph_growth_report *report = judge->maker->report;
    int status = test_sites(judge);
    if (status == 0)
        status = correct(judge);
    if (status == 0)
        status = label_sites(judge);
    if (status == 0 && report->site_count)
        qsort(report->sites, report->site_count, sizeof(*report->sites), by_growth);
    return status;
}

static bool is_same_rate(const struct ph_report_maker *maker)
{
    for (size_t i = 1; i < maker->timeline.count; i++)
        if (ph_maker_added(maker, i)->rate_bytes != ph_maker_added(maker, 0)->rate_bytes)
            return false;
    return true;
}

/* Have all processes of the first profile lived until the last, so that what was allocated in between is the difference? */
static bool is_one_process(const struct ph_report_maker *maker)
{
    const struct ph_timeline *timeline = &maker->timeline;
    const struct ph_moment *moments = maker->growth->moments;
    for (size_t i = 1; i < timeline->count; i++)
        if (timeline->is_break[i] ||
            ph_program_ended(&moments[timeline->order[i - 1]].program, &moments[timeline->order[i]].program) > 0)
            return false;
    return true;
}

static int judge_init(struct judge *judge, struct ph_report_maker *maker)
{
    size_t count = maker->timeline.count;
    *judge = (struct judge){.maker = maker, .point_count = count, .is_one_process = is_one_process(maker)};
    judge->value = calloc(3 * count, sizeof(*judge->value));
    judge->points = calloc((size_t)maker->growth->history.profile_count + 1, sizeof(*judge->points));
    if (!judge->value || !judge->points)
        return -ENOMEM;
    judge->sampled = judge->value + count;
    judge->variance = judge->sampled + count;
    judge->series = (struct ph_series){
        .point_count = count,
        .seconds = maker->timeline.seconds,
        .sampled = judge->sampled,
        .value = judge->value,
        .variance = judge->variance,
        .is_same_rate = is_same_rate(maker),
        .churn_variance = -1,
    };
    return 0;
}

static void judge_fini(struct judge *judge)
{
    free(judge->value);
    free(judge->points);
    free(judge->sites);
    free(judge->is_tested);
    free(judge->changes);
}

int ph_judge_sites(struct ph_report_maker *maker, struct ph_path_change **ret_changes)
{
    struct judge judge;
    struct ph_growth_report *report = maker->report;
    size_t site_count = ph_sites_count(&maker->growth->sites);
    int status = judge_init(&judge, maker);
    report->sites = ph_arena_alloc(&report->memory, site_count * sizeof(*report->sites));
    judge.sites = calloc(site_count + 1, sizeof(*judge.sites));
    judge.is_tested = calloc(site_count + 1, sizeof(*judge.is_tested));
    judge.changes = calloc(site_count + 1, sizeof(*judge.changes));
    if (status == 0)
        status = report->sites && judge.sites && judge.is_tested && judge.changes ? judge_all(&judge) : -ENOMEM;
    if (status == 0) {
        *ret_changes = judge.changes;
        judge.changes = NULL;
    }
    judge_fini(&judge);
    return status;
}

int ph_judge_total(struct ph_report_maker *maker, double *ret_values, struct ph_verdict *ret_verdict)
{
    struct judge judge;
    enum ph_heap_type metric = maker->growth->options.metric;
    int status = judge_init(&judge, maker);
    for (size_t i = 0; i < judge.point_count && status == 0; i++) {
        const struct ph_growth_added *added = ph_maker_added(maker, i);
        struct ph_point *end = i == 0 ? &judge.first : &judge.last;
        memcpy(end->values, added->totals, sizeof(end->values));
        ret_values[i] = judge.value[i] = added->totals[metric];
        judge.sampled[i] = added->sampled;
        judge.variance[i] = added->variance;
    }
    if (status == 0) {
        judge.series.churn_variance = churn_variance(&judge);
        status = ph_verdict_test(&judge.series, ret_verdict);
    }
    if (status == 0) {
        const struct ph_gates gates = {least_change(&judge), 0, 0, TOTAL_P};
        ret_verdict->q = ph_verdict_p(ret_verdict);
        status = ph_verdict_label(&judge.series, &gates, ret_verdict);
    }
    judge_fini(&judge);
    return status;
}
