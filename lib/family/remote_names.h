/*
 * remote_names.h - names for the addresses of a profile that was merged from several processes.
 *
 * The first mappings of such a profile are those of this process; each further one came with the first member that had
 * something mapped which is not among them (a module that it loaded after the fork), and its addresses are that member's.
 */
#ifndef PH_FAMILY_REMOTE_NAMES_H
#define PH_FAMILY_REMOTE_NAMES_H

#include "base/error.h"
#include "elf/modules.h"
#include "family/ask.h"
#include "family/segment.h"
#include "model/profile.h"
#include "probe/probe.h"

#include <stdint.h>

struct ph_remote_names {
    const struct ph_probe *probe;
    struct ph_segment *segment;
    const struct ph_modules *own_modules; /* of this process, as it made its part */
    struct ph_remote_part *parts;
    uint32_t part_count;
    uint32_t done_count; /* of locations: looked for among the own modules */
};

/** ph_remote_names_add() - with the part of @member there are @mapping_count mappings. First this process. 0 or -ENOMEM. */
int ph_remote_names_add(struct ph_remote_names *names, const struct ph_member *member, uint32_t mapping_count);

/** ph_remote_names_own() - name what lies in the mappings of this process and was not looked for yet. May be called again when
 * there are more locations, not when they have got other numbers. 0 or -ENOMEM. */
int ph_remote_names_own(struct ph_remote_names *names, struct ph_profile *profile);

/**
 * ph_remote_names_find() - name what lies in the mappings of others by asking those whose they are, until @deadline_ns. Who does not answer leaves its addresses nameless.
 *
 * All mappings of others are marked has_functions: pprof would ask this process for the names, where something else can be
 * at the address. 0; -ENOMEM; -ECANCELED.
 */
int ph_remote_names_find(const struct ph_remote_names *names, struct ph_profile *profile, int64_t deadline_ns,
                         const struct ph_ask_cancel *cancel, struct ph_error *error);
void ph_remote_names_fini(struct ph_remote_names *names);

#endif
