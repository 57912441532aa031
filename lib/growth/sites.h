/*
 * sites.h - the stacks of several profiles, each told once: a site is one stack, after filter and grouping.
 *
 * Labels do not tell stacks apart, but by pid: then the outermost frame is the process.
 * Equal neighbouring frames are one: a recursion of any depth is one site as far as it calls itself directly, and by
 * module a stack is the way through the modules. One thread at a time.
 */
#ifndef PH_GROWTH_SITES_H
#define PH_GROWTH_SITES_H

#include "growth/filter.h"
#include "growth/frames.h"

#include <stdbool.h>
#include <stdint.h>

struct ph_sites {
    struct ph_frames frames;
    struct ph_profile *known; /* its samples are the sites */
    const struct ph_filter *filter;
    bool *is_deep; /* by site: so many frames that its outer callers may have been cut off */
};

/** ph_sites_init() - 0, -ENOMEM. @filter is borrowed until ph_sites_fini(). */
int ph_sites_init(struct ph_sites *sites, enum ph_growth_by by, const struct ph_filter *filter);
void ph_sites_fini(struct ph_sites *sites);

/**
 * ph_sites_find() - the site of each sample of @profile; new ones are added.
 * @ret_sites: profile->sample_count of them; PH_INDEX_NONE for a sample that the filter drops.
 *
 * 0, -ENOMEM. After a failure sites may have been added that no profile has.
 */
int ph_sites_find(struct ph_sites *sites, const struct ph_profile *profile, uint32_t *ret_sites);

static inline uint32_t ph_sites_count(const struct ph_sites *sites)
{
    return sites->known->sample_count;
}

/** ph_sites_stack() - the frames of a site, leaf first: numbers in sites->frames.entries, from 0. */
static inline const uint32_t *ph_sites_stack(const struct ph_sites *sites, uint32_t site, uint32_t *ret_count)
{
    const struct ph_sample *stack = &sites->known->samples[site];
    *ret_count = stack->frame_count;
    return stack->frame_count ? sites->known->frames + stack->first_frame : NULL;
}

#endif
