/* judge.h - the statistics over all sites: series made from the history, tested, corrected for their number, labelled. */
#ifndef PH_GROWTH_JUDGE_H
#define PH_GROWTH_JUDGE_H

#include "growth/paths.h"
#include "growth/state.h"

/**
 * ph_judge_sites() - fill report->sites (all but those that are zero throughout), in the order of report.h.
 * @ret_changes: what the tree of calls takes, by site; free() it.
 *
 * 0, -ENOMEM. Needs the maker's timeline and report->profiles.
 */
int ph_judge_sites(struct ph_report_maker *maker, struct ph_path_change **ret_changes);

/**
 * ph_judge_total() - test and label the metric's total as if it were one site.
 * @ret_values: profile_count of them, room of the caller's.
 */
int ph_judge_total(struct ph_report_maker *maker, double *ret_values, struct ph_verdict *ret_verdict);

#endif
