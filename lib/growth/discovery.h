/*
 * discovery.h - p-values of many stacks at once: of 5,000 that do nothing, 50 have p < 0.01 by chance.
 */
#ifndef PH_GROWTH_DISCOVERY_H
#define PH_GROWTH_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>

/**
 * ph_discovery_bh() - for each p-value its q: the share of false ones among all with a q as small, at most.
 * @p: @count of them, 0..1; NAN counts as 1.
 * @strict: Benjamini-Yekutieli, which holds for any dependence of the stacks; else Benjamini-Hochberg, which holds for
 *     independent and for positively dependent ones.
 * @ret_q: @count of them, in the order of @p; may be @p.
 *
 * Allocates scratch: 0, -ENOMEM. Sources: Benjamini, Hochberg, JRSS B 57 (1995) 289; Benjamini, Yekutieli, Ann. Stat. 29
 * (2001) 1165; the step-up q as R's p.adjust().
 */
int ph_discovery_bh(const double *p, size_t count, bool strict, double *ret_q);

#endif
