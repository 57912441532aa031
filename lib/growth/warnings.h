/* warnings.h - what a reader of a report must know of the profiles, as sentences without full stop. */
#ifndef PH_GROWTH_WARNINGS_H
#define PH_GROWTH_WARNINGS_H

#include "growth/paths.h"
#include "growth/state.h"

/** ph_warn() - fill report->warnings. 0, -ENOMEM. */
int ph_warn(struct ph_report_maker *maker, const struct ph_paths *paths);

#endif
