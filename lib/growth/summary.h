/* summary.h - the first lines of a report: totals, how sure their growth is, and when it meets a limit. */
#ifndef PH_GROWTH_SUMMARY_H
#define PH_GROWTH_SUMMARY_H

#include "growth/state.h"

/** ph_summarize() - fill report->summary, but for the labels. 0, -ENOMEM. Needs the maker's timeline. */
int ph_summarize(struct ph_report_maker *maker);

#endif
