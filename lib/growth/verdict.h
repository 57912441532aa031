/*
 * verdict.h - what the statistics say of one series: does it grow, since when, and how sure is that.
 *
 * In two steps, for false discoveries can only be counted once all stacks have their p-value: ph_verdict_test() for each
 * stack, discovery.h over all p-values, then ph_verdict_label() for those that were discovered. Method and thresholds
 * with their reasons: doc/growth.md.
 */
#ifndef PH_GROWTH_VERDICT_H
#define PH_GROWTH_VERDICT_H

#include "growth/series.h"

#include <stdbool.h>
#include <stddef.h>

enum ph_growth_label {
    PH_GROWTH_NOISE, /* no change that sampling would not explain, or below the gates, or that swings: it once fell
                               by as much as it has gained */
    PH_GROWTH_INSUFFICIENT, /* too few samples to tell: "no growth" would be a lie */
    PH_GROWTH_SHRINKING,
    PH_GROWTH_PLATEAU, /* grew and has levelled off */
    PH_GROWTH_STEP,    /* grew at once and stayed */
    PH_GROWTH_GROWING, /* grew and still does; also of two profiles, where more cannot be told */
    PH_GROWTH_LABEL_COUNT,
};

struct ph_verdict {
    double change;    /* value[T-1] - value[0], in units of the metric */
    double low, high; /* its 95 % confidence interval */
    double growth_p;  /* one-sided: as much growth by chance; 1 if it did not grow */
    double shrink_p;  /* the same for shrinking */
    double q;         /* ph_verdict_p(), corrected for the number of stacks: discovery.h */
    enum ph_growth_label label;
    /* The rest is told of labels STEP, PLATEAU and GROWING only. */
    bool has_onset;               /* T >= 3: two profiles do not tell when */
    size_t onset_index;           /* the last point before it began to grow */
    double onset_seconds;         /* as series.seconds */
    double onset_low, onset_high; /* approximate 95 % interval, seconds */
    double rate_per_second;       /* of the last third for GROWING of a series, else change / time */
};

struct ph_gates {
    double min_change;   /* in units of the metric: less is not worth a line; 1 MiB of space by default */
    double min_share;    /* of the total growth; 0.02 */
    double total_growth; /* sum of the changes of stacks with q <= false_discovery_rate that grew. Not of all: the
                                    noise of thousands of stacks that do nothing adds up to more than any leak */
    double false_discovery_rate; /* 0.05 */
};

/** ph_verdict_test() - fill change, interval and p-values. @series is borrowed. Allocates scratch: 0, -ENOMEM. */
int ph_verdict_test(const struct ph_series *series, struct ph_verdict *ret_verdict);

/** ph_verdict_p() - of a change in either direction: twice the smaller p, at most 1. What discovery.h takes. */
double ph_verdict_p(const struct ph_verdict *verdict);

/** ph_verdict_label() - fill label, onset and rate of a tested verdict whose q is known. 0, -ENOMEM. */
int ph_verdict_label(const struct ph_series *series, const struct ph_gates *gates, struct ph_verdict *verdict);

/** ph_growth_label_name() - "growing", "step", "plateau", "shrinking", "noise", "insufficient samples". */
const char *ph_growth_label_name(enum ph_growth_label label);

#endif
