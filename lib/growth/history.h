/*
 * history.h - the values of all sites in all profiles, kept sparsely: a value is written down when it changes.
 *
 * Most stacks of a heap hold the same objects from one profile to the next, so that memory grows with what changes and
 * not with the number of profiles. Profiles are numbered in the order in which they are added, which need not be that of
 * time. One thread at a time.
 */
#ifndef PH_GROWTH_HISTORY_H
#define PH_GROWTH_HISTORY_H

#include "model/heap_types.h"

#include <stdint.h>

/* A site in one profile; all zero where it is missing. What a profile does not hold is zero, too. */
struct ph_point {
    double values[PH_HEAP_TYPE_COUNT];
    float sampled;  /* n of the metric, see noise.h */
    float variance; /* of the metric's value */
};

struct ph_history_entry {
    struct ph_point point;
    uint32_t profile;  /* valid from this one on */
    uint32_t previous; /* entry of the same site before, + 1; 0 for none */
};

struct ph_history {
    struct ph_history_entry *entries;
    uint32_t entry_count;
    uint32_t profile_count;
    uint32_t *newest;     /* by site: its last entry, + 1; 0 for none */
    struct ph_point *now; /* by site: of the profile being added */
    uint32_t site_count;
};

#define PH_HISTORY_INIT                                                                                            \
    {                                                                                                              \
        NULL, 0, 0, NULL, NULL, 0                                                                                  \
    }

/** ph_history_reserve() - make room for sites up to @site_count. 0, -ENOMEM. */
int ph_history_reserve(struct ph_history *history, uint32_t site_count);

/** ph_history_add() - add @point to what @site has in the profile being added. */
void ph_history_add(struct ph_history *history, uint32_t site, const struct ph_point *point);

/** ph_history_close() - the profile is complete. 0; -ENOMEM: it has left no trace. */
int ph_history_close(struct ph_history *history);

/** ph_history_abandon() - forget the profile being added. */
void ph_history_abandon(struct ph_history *history);

/** ph_history_read() - a site in every profile. @ret_points: profile_count of them, in the order of adding. */
void ph_history_read(const struct ph_history *history, uint32_t site, struct ph_point *ret_points);

void ph_history_fini(struct ph_history *history);

#endif
