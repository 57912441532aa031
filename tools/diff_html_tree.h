/*
 * diff_html_tree.h - all stacks of a report as one tree, small enough to be drawn: what a flame graph shows.
 *
 * Children are in the order of their growth, the largest first, so that what grew stands on the left.
 */
#ifndef PH_TOOLS_DIFF_HTML_TREE_H
#define PH_TOOLS_DIFF_HTML_TREE_H

#include "growth/report.h"

#include <stddef.h>
#include <stdint.h>

#define PH_TREE_ROOT UINT32_MAX /* the frame of the root, which is none */

struct ph_tree_node {
    uint32_t frame; /* in report.frames; PH_TREE_ROOT */
    uint32_t depth; /* 0 for the root */
    double now, change;
    double growth; /* sum of the positive changes of the stacks below it; growth - change is what the others lost */
};

struct ph_tree {
    struct ph_tree_node *nodes; /* in pre-order */
    size_t node_count;
    double cut_share;  /* nodes below this share of now, of growth and of what shrank are left out */
    size_t cut_count;  /* how many subtrees were */
    size_t deep_count; /* stacks that go on below the last level drawn */
};

/**
 * ph_tree_build() - the tree of all sites of @report, callers first (PH_SIDE_CALLER) or allocators first.
 *
 * 0, with *ret_tree for ph_tree_free(); -ENOMEM. Nodes below 0.05 % are cut; more, if the tree would be too large.
 */
int ph_tree_build(const struct ph_growth_report *report, enum ph_growth_side side, struct ph_tree *ret_tree);
void ph_tree_free(struct ph_tree *tree);

#endif
