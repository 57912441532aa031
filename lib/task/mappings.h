/*
 * mappings.h - the mappings of a profile that takes time: modules come and go meanwhile.
 *
 * An address is looked up when it was sampled, and means a mapping that was there then; one that has gone by the end of the
 * profile is still in it and still gets its names, even if another lies in its place. One thread at a time.
 */
#ifndef PH_TASK_MAPPINGS_H
#define PH_TASK_MAPPINGS_H

#include "base/arena.h"
#include "base/error.h"
#include "base/index.h"
#include "elf/modules.h"
#include "model/profile.h"

#include <stddef.h>
#include <stdint.h>

struct ph_mapped_range {
    uint64_t start, limit;
    uint32_t mapping; /* of the profile */
};

struct ph_mappings {
    struct ph_profile *profile; /* borrowed; mapping n is seen[n - 1] */
    struct ph_module *seen;     /* all there ever were */
    uint32_t seen_count;
    struct ph_index seen_index;
    struct ph_mapped_range *now; /* those there are now, sorted */
    size_t now_count;
    int64_t read_at_ns, read_cost_ns;
    struct ph_arena text;
};

/** ph_mappings_init() - those of now, into @profile, which has none yet; the main binary is the first. 0; -ENOMEM; the errno of
 * reading the maps. @mappings is to be given to ph_mappings_fini() either way. */
int ph_mappings_init(struct ph_mappings *mappings, struct ph_profile *profile, struct ph_error *error);
void ph_mappings_fini(struct ph_mappings *mappings);

/** ph_mappings_refresh() - look what came and went; not more often than is cheap, and seldom unless it is known that something
 * @has_changed. */
void ph_mappings_refresh(struct ph_mappings *mappings, bool has_changed);

/** ph_mappings_find() - the number of the mapping that holds @address, or held it last; 0: none did. */
uint32_t ph_mappings_find(struct ph_mappings *mappings, uint64_t address);

/** ph_mappings_name() - names for all locations of the profile. 0; -ENOMEM. */
int ph_mappings_name(const struct ph_mappings *mappings);

#endif
