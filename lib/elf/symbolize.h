/* symbolize.h - names for all locations of a profile that have none. */
#ifndef PH_ELF_SYMBOLIZE_H
#define PH_ELF_SYMBOLIZE_H

#include "elf/modules.h"
#include "model/profile.h"

/**
 * ph_symbolize() - give each location without lines its function, by ph_symbols_find().
 *
 * has_functions is set on a mapping only if every location in it got a name: pprof fetches the missing names
 * from `symbol` only for mappings without the flag. 0; -ENOMEM.
 */
int ph_symbolize(struct ph_profile *profile, const struct ph_modules *modules);

#endif
