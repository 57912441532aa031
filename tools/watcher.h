/*
 * watcher.h - an analysis that goes on: each new profile is added and the report made anew.
 *
 * Its memory is bounded: after PH_SPOOL_MAX profiles the older half is thinned out, and a new analysis is made from the
 * profiles that stay (spool.h). One thread at a time.
 */
#ifndef PH_TOOLS_WATCHER_H
#define PH_TOOLS_WATCHER_H

#include "growth/analysis.h"
#include "tools/spool.h"

#include <stdint.h>

struct ph_watcher {
    const struct ph_growth_options *options; /* borrowed */
    struct ph_growth *growth;
    struct ph_spool spool;
    struct ph_growth_report *report; /* of all so far; NULL until there are two profiles */
    uint64_t number;                 /* profiles so far, those that were dropped included */
};

/** ph_watcher_init() - 0; -EINVAL for wrong options, said in @error; -ENOMEM. */
int ph_watcher_init(struct ph_watcher *watcher, const struct ph_growth_options *options, struct ph_error *error);
void ph_watcher_fini(struct ph_watcher *watcher);

/**
 * ph_watcher_add() - one more profile, and the report with it.
 * 0; -EINVAL as ph_growth_add(), with nothing changed; else the negative errno of what went wrong; with a sentence.
 */
int ph_watcher_add(struct ph_watcher *watcher, const struct ph_profile *profile, struct ph_error *error);

#endif
