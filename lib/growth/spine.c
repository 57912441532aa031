#include "growth/spine.h"

/* A child holds most of its parent at most once, so one walk over the nodes, parents first, meets the whole spine. */
uint32_t ph_spine_stop(const struct ph_trie *trie)
{
    uint32_t stop = 0;
    for (uint32_t i = 1; i < trie->node_count; i++) {
        const struct ph_trie_node *node = &trie->nodes[i];
        if (node->parent == stop && node->sums.weight > 0 &&
            node->sums.weight >= PH_SPINE_SHARE * trie->nodes[stop].sums.weight)
            stop = i;
    }
    return stop;
}
