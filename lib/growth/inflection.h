/*
 * inflection.h - where in the tree of calls growth concentrates: the spine's end and the heavy hitters, on the side of the
 * callers or of the allocator, whichever tells more.
 *
 * Both sides explain the same growth. Shown is the one whose places say more: the entropy of growth relative to the heap
 * (Kullback, Leibler, Ann. Math. Stat. 22 (1951) 79), the sum of r * log2(r / h) over the places, where a place holds the
 * share r of growth and the share h of the heap. "All of it goes through main", or through malloc, has r = h = 1 and says
 * nothing. If the sides are alike, the one whose spine ends in the smaller part of the heap. Where outer callers were
 * cut off, only the allocator's side can be trusted.
 */
#ifndef PH_GROWTH_INFLECTION_H
#define PH_GROWTH_INFLECTION_H

#include "base/arena.h"
#include "growth/paths.h"
#include "growth/report.h"

#include <stddef.h>
#include <stdint.h>

/**
 * ph_inflections_find() - the places, the spine's end first, then by growth; none if nothing grew beyond noise.
 * @frame_count: frames there are. @memory: holds the result. Shares are of paths->growth.
 *
 * On the callers' side a place is the last frame that its stacks share, on the allocator's the first that only they do.
 * 0, -ENOMEM.
 */
int ph_inflections_find(const struct ph_paths *paths, uint32_t frame_count, struct ph_arena *memory,
                        struct ph_growth_inflection **ret_inflections, size_t *ret_count);

#endif
