/* paths.h - sites as the tree of calls wants them: without recursions, with the growth that counts. */
#ifndef PH_GROWTH_PATHS_H
#define PH_GROWTH_PATHS_H

#include "base/arena.h"
#include "growth/sites.h"
#include "growth/trie.h"

#include <stdint.h>

struct ph_paths {
    struct ph_trie_stack *stacks;
    uint32_t count;
    double growth;      /* the weights of all */
    uint32_t cut_count; /* stacks without their outer callers: as deep as stacks get, and begun by no known root */
    double cut_share;   /* of growth */
    struct ph_arena memory; /* of collapsed paths; others are borrowed from the sites */
};

struct ph_path_change {           /* of one site */
    double change, variance, now; /* as in struct ph_trie_stack */
};

/** ph_paths_init() - @changes: one for each of the first @count sites. 0, -ENOMEM. @sites is borrowed until the end. */
int ph_paths_init(struct ph_paths *paths, const struct ph_sites *sites, const struct ph_path_change *changes,
                  uint32_t count);
void ph_paths_fini(struct ph_paths *paths);

#endif
