/* place_names.h - names for the addresses of one module, from its files: DWARF, else symbol tables. One thread at a time. */
#ifndef PH_ELF_PLACE_NAMES_H
#define PH_ELF_PLACE_NAMES_H

#include "elf/debug_file.h"
#include "elf/dwarf.h"
#include "model/profile.h"

#include <stddef.h>

/** ph_places_sort() - by address. */
void ph_places_sort(struct ph_place *places, size_t count);

/**
 * ph_places_name() - give the locations of @places their lines, as far as @files tell any.
 * @places: sorted; addresses as in the file with the code or, without one, in the debug file. Their order, symbols and lines are
 * changed. 0; -ENOMEM, -EOVERFLOW of the profile.
 */
int ph_places_name(struct ph_profile *profile, const struct ph_module_files *files, struct ph_place *places,
                   size_t count);

#endif
