/*
 * flame_tree.h - the call tree of a profile as a flame graph shows it: stacks merged from the root, children by name.
 *
 * Source of the idea: B. Gregg, "The Flame Graph" (ACM Queue 14/2, 2016).
 */
#ifndef PH_TOOLS_FLAME_TREE_H
#define PH_TOOLS_FLAME_TREE_H

#include "base/index.h"
#include "model/profile.h"

#include <stdbool.h>
#include <stdint.h>

#define PH_FLAME_DEPTH_MAX 500 /* frames of a stack, from the root: more cannot be looked at, nor walked safely */

struct ph_flame_node {
    uint32_t name;              /* string of the profile */
    uint32_t parent;            /* 0: the root, which is its own parent */
    uint32_t first_child, next; /* 0: none */
    uint32_t depth;             /* the root has 0 */
    double value;               /* with what is above; units of the sample type */
    int64_t sample_count;       /* the same in the type "samples"; 0 if the profile has none */
};

struct ph_flame_tree {
    struct ph_profile *profile;
    struct ph_flame_node *nodes; /* node 0 is the root, "all" */
    uint32_t node_count;
    uint32_t depth;          /* of the deepest node */
    bool is_cut;             /* stacks were deeper than PH_FLAME_DEPTH_MAX */
    uint32_t negative_count; /* samples left out, as a flame graph cannot show them */
    struct ph_index index;   /* private: (parent, name) */
};

/**
 * ph_flame_tree_build() - of sample type @type. Strings are added to @profile, which is borrowed until the fini.
 * 0; -ENOMEM, -EOVERFLOW.
 */
int ph_flame_tree_build(struct ph_profile *profile, uint32_t type, struct ph_flame_tree *ret_tree);
void ph_flame_tree_fini(struct ph_flame_tree *tree);

#endif
