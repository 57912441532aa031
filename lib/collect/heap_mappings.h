/*
 * heap_mappings.h - the mappings of a heap profile that goes to another process of the family.
 *
 * Only what its stacks run through, as to tell what a mapping is costs system calls: the one who asks knows most of them
 * itself. Never anonymous code (a JIT's): it grows, and the same stack would not be found to be the same in two processes.
 */
#ifndef PH_COLLECT_HEAP_MAPPINGS_H
#define PH_COLLECT_HEAP_MAPPINGS_H

#include "base/error.h"
#include "base/scan.h"
#include "elf/modules.h"
#include "model/profile.h"

/** ph_heap_mappings_named() - add all of @modules but anonymous ones. Returns the profile's status. */
int ph_heap_mappings_named(const struct ph_modules *modules, struct ph_profile *profile);

/** ph_heap_mappings_used() - of mappings that were read from @maps: leave out those without a location, and give the others their
 * build ids. The profile takes no further locations. 0, -ENOMEM. */
int ph_heap_mappings_used(struct ph_scan maps, struct ph_profile *profile, struct ph_error *error);

#endif
