/* spine.h - the one place where growth concentrates: from the root of the tree down to where it parts. */
#ifndef PH_GROWTH_SPINE_H
#define PH_GROWTH_SPINE_H

#include "growth/trie.h"

#define PH_SPINE_SHARE 0.8 /* of its parent's growth, that a child must hold for the spine to go on */

/** ph_spine_stop() - the node where no child holds PH_SPINE_SHARE of the weight any more. */
uint32_t ph_spine_stop(const struct ph_trie *trie);

#endif
