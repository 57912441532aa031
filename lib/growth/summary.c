#include "growth/summary.h"

#include "growth/judge.h"
#include "growth/late.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define SURE_P 0.05 /* a forecast from what may be noise misleads */

static double rate_per_second(const struct ph_timeline *timeline, const double *values)
{
    size_t last = timeline->count - 1;
    if (!timeline->has_times)
        return NAN;
    if (timeline->count == 2)
        return (values[last] - values[0]) / timeline->seconds[last];
    return ph_late_slope(timeline->seconds, values, timeline->count);
}

/* The limit is one of memory in use: of other metrics nothing can be said. */
static double seconds_to_limit(const struct ph_report_maker *maker, double now)
{
    const struct ph_growth_summary *summary = &maker->report->summary;
    double limit_bytes = (double)maker->growth->options.limit_bytes;
    if (limit_bytes <= 0 || maker->growth->options.metric != PH_HEAP_INUSE_SPACE)
        return NAN;
    if (now >= limit_bytes)
        return 0;
    bool is_growing = summary->rate_per_second > 0 && summary->total_p <= SURE_P;
    return is_growing ? (limit_bytes - now) / summary->rate_per_second : NAN;
}

int ph_summarize(struct ph_report_maker *maker)
{
    struct ph_growth_summary *summary = &maker->report->summary;
    size_t count = maker->timeline.count;
    struct ph_verdict verdict;
    for (int type = 0; type < PH_HEAP_TYPE_COUNT; type++) {
        summary->base[type] = ph_maker_added(maker, 0)->totals[type];
        summary->now[type] = ph_maker_added(maker, count - 1)->totals[type];
    }
    double *values = calloc(count, sizeof(*values));
    int status = values ? ph_judge_total(maker, values, &verdict) : -ENOMEM;
    if (status == 0) {
        summary->total_low = verdict.low;
        summary->total_high = verdict.high;
        summary->total_p = verdict.growth_p;
        summary->total_label = verdict.label;
        summary->rate_per_second = rate_per_second(&maker->timeline, values);
        summary->seconds_to_limit = seconds_to_limit(maker, values[count - 1]);
    }
    free(values);
    return status;
}
