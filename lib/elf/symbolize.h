/* symbolize.h - names for all locations of a profile that have none. */
#ifndef PH_ELF_SYMBOLIZE_H
#define PH_ELF_SYMBOLIZE_H

#include "elf/modules.h"
#include "model/profile.h"

#include <stdbool.h>

/**
 * ph_symbolize() - give each location without lines its function, by ph_symbols_find().
 *
 * has_functions is set on a mapping only if every location in it got a name: pprof fetches the missing names
 * from `symbol` only for mappings without the flag. 0; -ENOMEM.
 */
int ph_symbolize(struct ph_profile *profile, const struct ph_modules *modules);

/** ph_symbolize_first() - the same, but only for locations in the first @mapping_count mappings: those of others were taken in
 * other processes, where the same address can be something else.
 * @done_count: as many locations have been looked for already. */
int ph_symbolize_first(struct ph_profile *profile, const struct ph_modules *modules, uint32_t mapping_count,
                       uint32_t done_count);

/** ph_symbolize_wanted() - the same, but only for locations in mappings n with @is_wanted[n] (0: in none): where modules lay in the
 * same place one after the other, each set of those that did not is named in a round of its own. */
int ph_symbolize_wanted(struct ph_profile *profile, const struct ph_modules *modules, const bool *is_wanted);

/** ph_symbolize_name() - give one location its function. Returns the profile's status. */
int ph_symbolize_name(struct ph_profile *profile, uint32_t location, const char *name);

#endif
