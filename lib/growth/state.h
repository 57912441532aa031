/* state.h - what analysis.c gathers and judge.c, summary.c, warnings.c and report.c read. Private to this room. */
#ifndef PH_GROWTH_STATE_H
#define PH_GROWTH_STATE_H

#include "growth/analysis.h"
#include "growth/filter.h"
#include "growth/history.h"
#include "growth/sites.h"
#include "growth/timeline.h"

struct ph_growth_added { /* a profile; its stacks are in the history */
    const char *name;
    double totals[PH_HEAP_TYPE_COUNT]; /* NAN for what it does not hold */
    double sampled, variance;          /* of the metric's total */
    double rate_bytes;                 /* 0 if unknown */
    uint32_t stack_count;
    bool has_negative;
};

struct ph_growth {
    struct ph_growth_options options;
    struct ph_filter filter;
    struct ph_sites sites;
    struct ph_history history;
    struct ph_growth_added *added; /* history.profile_count of them, as are the moments */
    struct ph_moment *moments;
    struct ph_arena memory; /* of names and programs */
};

/* What the parts of a report are made from. */
struct ph_report_maker {
    const struct ph_growth *growth;
    struct ph_timeline timeline;
    struct ph_growth_report *report;
};

/** ph_maker_added() - the profile at a place in the order of time. */
static inline const struct ph_growth_added *ph_maker_added(const struct ph_report_maker *maker, size_t place)
{
    return &maker->growth->added[maker->timeline.order[place]];
}

#endif
