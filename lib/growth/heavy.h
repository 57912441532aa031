/*
 * heavy.h - the several places where growth concentrates: hierarchical heavy hitters.
 *
 * From the leaves of the tree up: a node is reported if what grew below it, without what deeper reported nodes explain,
 * is a good share of all growth and more than noise. Source: Cormode, Korn, Muthukrishnan, Srivastava, "Finding
 * Hierarchical Heavy Hitters in Data Streams", VLDB 2003.
 */
#ifndef PH_GROWTH_HEAVY_H
#define PH_GROWTH_HEAVY_H

#include "growth/trie.h"

#define PH_HEAVY_SHARE 0.05 /* of all growth */
#define PH_HEAVY_Z     3.0  /* standard deviations */

struct ph_heavy {
    uint32_t node;
    double change, variance; /* without those of reported nodes below it */
};

/**
 * ph_heavy_find() - the heavy nodes of a tree, the deepest first.
 * @total: all growth. @ret_heavy: free() it.
 *
 * 0, -ENOMEM.
 */
int ph_heavy_find(const struct ph_trie *trie, double total, struct ph_heavy **ret_heavy, uint32_t *ret_count);

#endif
