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
#include "elf/loaded.h"
#include "elf/modules.h"
#include "model/profile.h"

/** ph_heap_mappings_named() - add all of @modules but anonymous ones. Returns the profile's status. */
int ph_heap_mappings_named(const struct ph_modules *modules, struct ph_profile *profile);

/** ph_heap_mappings_loaded() - add what the loader has mapped: as yet only to tell one file from another. Returns the profile's
 * status. */
int ph_heap_mappings_loaded(const struct ph_loaded *loaded, struct ph_profile *profile);

/** ph_heap_mappings_loaded_used() - the mappings are those of @loaded: leave out those without a location, and tell what the
 * others are. The profile takes no further locations.
 * 0; -ENOMEM; -ENOENT if not all can be told, or a location lies elsewhere: then ask the maps (ph_heap_mappings_instead()). */
int ph_heap_mappings_loaded_used(const struct ph_loaded *loaded, struct ph_profile *profile);

/** ph_heap_mappings_instead() - forget the mappings, take those of @maps, and go on as ph_heap_mappings_used(). */
int ph_heap_mappings_instead(struct ph_scan maps, struct ph_profile *profile, struct ph_error *error);

/** ph_heap_mappings_used() - of mappings that were read from @maps: leave out those without a location, and give the others their
 * build ids. The profile takes no further locations. 0, -ENOMEM. */
int ph_heap_mappings_used(struct ph_scan maps, struct ph_profile *profile, struct ph_error *error);

#endif
