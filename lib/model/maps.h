/*
 * maps.h - /proc/PID/maps text at the end of heap dumps ("MAPPED_LIBRARIES:"), and which mapping holds an address.
 */
#ifndef PH_MODEL_MAPS_H
#define PH_MODEL_MAPS_H

#include "base/buf.h"
#include "base/scan.h"
#include "model/profile.h"

#include <stddef.h>
#include <stdint.h>

/**
 * ph_maps_read() - add the executable segments of a maps text as mappings, those of the main binary first.
 *
 * The main binary is the first path that names a file: the kernel lists by address and puts the program below its
 * libraries. Anonymous segments are left out, "[vdso]" and the like are kept, " (deleted)" is cut off. Lines that
 * are no mappings are skipped: kernels add kinds. Returns the profile's status.
 */
int ph_maps_read(struct ph_profile *profile, struct ph_scan text);

/* The mappings of a profile, sorted for look-up. */
struct ph_map_range {
    uint64_t start, limit;
    uint32_t mapping;
};

struct ph_map_finder {
    struct ph_map_range *ranges;
    size_t count;
};

/** ph_map_finder_init() - of the mappings the profile has now. 0, -ENOMEM. Where they overlap, one of them is found. */
int ph_map_finder_init(struct ph_map_finder *finder, const struct ph_profile *profile);
void ph_map_finder_fini(struct ph_map_finder *finder);

/** ph_map_find() - the number of the mapping that holds @address, 0 if none. */
uint32_t ph_map_find(const struct ph_map_finder *finder, uint64_t address);

/**
 * ph_maps_part() - give mappings that overlap an earlier one, as those of different processes can, a place of their own above
 * all others, and their locations with them: for formats that know addresses only. No entry may be added to @profile
 * afterwards.
 */
void ph_maps_part(struct ph_profile *profile);

/** ph_maps_write() - append all mappings as lines of a maps file. ph_maps_name() - a name for a line of text: what would end the
 * line, or part it, is a blank. */
void ph_maps_write(const struct ph_profile *profile, struct ph_buf *out);
void ph_maps_name(struct ph_buf *out, const char *name);

#endif
