/*
 * analysis.h - heap profiles in, report out: what grew, since when, and where in the call tree.
 *
 * Profiles are read one at a time and folded into one series for each stack; none is kept, so that memory grows with
 * the stacks and hardly with the number of profiles. They may come in any order. One thread at a time.
 *
 *     ph_growth_new()  ->  ph_growth_add() for each profile  ->  ph_growth_report()  (again after more, as watch does)
 */
#ifndef PH_GROWTH_ANALYSIS_H
#define PH_GROWTH_ANALYSIS_H

#include "base/error.h"
#include "growth/report.h"
#include "model/profile.h"

struct ph_growth_options {
    enum ph_heap_type metric;
    enum ph_growth_by by;
    const char *focus, *ignore, *hide; /* extended regular expressions on function, file and module; NULL for none.
                                          As pprof: focus keeps stacks with a match, ignore drops them, hide drops frames */
    double false_discovery_rate;       /* 0 for 0.05 */
    bool is_strict;
    double min_change;   /* negative for the default: 1 MiB, or for objects as many as make 1 MiB on average */
    int64_t limit_bytes; /* 0 for none: tell when the total meets it */
};

struct ph_growth;

/** ph_growth_new() - 0; -EINVAL for a wrong regular expression or rate, named in @error; -ENOMEM. */
int ph_growth_new(const struct ph_growth_options *options, struct ph_growth **ret_growth, struct ph_error *error);
void ph_growth_free(struct ph_growth *growth);

/**
 * ph_growth_add() - fold one more profile in. @name is copied, @profile borrowed for the call.
 *
 * 0; -EINVAL if its numbers would mean nothing beside the others (it lacks the metric, another program), said in
 * @error, with @growth unchanged; -ENOMEM.
 */
int ph_growth_add(struct ph_growth *growth, const struct ph_profile *profile, const char *name,
                  struct ph_error *error);

/** ph_growth_report() - analyse what was added. 0; -EINVAL with fewer than two profiles; -ENOMEM. */
int ph_growth_report(struct ph_growth *growth, struct ph_growth_report **ret_report, struct ph_error *error);
void ph_growth_report_free(struct ph_growth_report *report);

#endif
