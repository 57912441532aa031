/*
 * trie.h - the tree of calls that growing stacks make, seen from the callers or from the allocator.
 *
 * Only its heavy part is built: a branch that grew by less than asked is a sum in its parent. A node is a set of stacks
 * that agree in their first frames; frames that all of them go on to share belong to the same node. So there are about
 * as many nodes as heavy branchings, however deep stacks are, and nothing here calls itself. One thread at a time.
 */
#ifndef PH_GROWTH_TRIE_H
#define PH_GROWTH_TRIE_H

#include "growth/report.h"

#include <stdint.h>

struct ph_trie_stack {
    const uint32_t *frames; /* leaf first, each once: recursion.h */
    uint32_t frame_count;
    double change;   /* last minus first */
    double weight;   /* what of the change is counted as growth: 0 for what shrank */
    double variance; /* of the change */
    double now;      /* value in the last profile */
};

struct ph_trie_sums { /* over the stacks of a node */
    double change, weight, variance, now;
    double growth; /* of max(0, change) */
};

struct ph_trie_node {
    uint32_t parent;             /* node; the root's is its own */
    uint32_t near_depth, depth;  /* its stacks agree in their first near_depth to depth frames, and no others do */
    uint32_t first, stack_count; /* in trie.order */
    struct ph_trie_sums sums;
};

struct ph_trie_branch { /* of a node: the stacks that go on with one frame */
    uint32_t frame, stack_count;
    struct ph_trie_sums sums;
};

struct ph_trie {
    enum ph_growth_side side;
    const struct ph_trie_stack *stacks;
    uint32_t *order;            /* stacks, those of a node together */
    struct ph_trie_node *nodes; /* the root first, parents before children; never none */
    uint32_t node_count;
    /* Private: scratch of one grouping. */
    struct ph_trie_branch *branches;
    uint32_t branch_count;
    uint32_t *branch_of; /* by frame: its branch, + 1 */
    uint32_t *sorted;
};

/**
 * ph_trie_init() - build it of @count stacks, which are borrowed.
 * @frame_count: frames there are. @growth_min: nodes that grew by less are left out, the root excepted.
 *
 * 0, -ENOMEM.
 */
int ph_trie_init(struct ph_trie *trie, enum ph_growth_side side, const struct ph_trie_stack *stacks, uint32_t count,
                 uint32_t frame_count, double growth_min);
void ph_trie_fini(struct ph_trie *trie);

/** ph_trie_branch() - how the stacks of a node go on: trie->branches, until the next call. 0, -ENOMEM. */
int ph_trie_branch(struct ph_trie *trie, uint32_t node);

/** ph_trie_frame() - of a node's path, from the root of the tree: @depth below the node's depth. */
uint32_t ph_trie_frame(const struct ph_trie *trie, uint32_t node, uint32_t depth);

#endif
