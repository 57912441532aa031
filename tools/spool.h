/*
 * spool.h - the profiles of a program that is watched, kept in a temporary file that has no name, so that they can be
 * read again: in memory they would be a hundred times what their analysis is.
 *
 * No more than PH_SPOOL_MAX are kept. ph_spool_thin() makes room: of the older half every second one goes. The first
 * and the newest stay, and the further back, the longer the intervals: over days as over minutes.
 */
#ifndef PH_TOOLS_SPOOL_H
#define PH_TOOLS_SPOOL_H

#include "base/error.h"
#include "model/profile.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define PH_SPOOL_MAX 200

struct ph_spool_entry {
    off_t offset;
    size_t size_bytes;
    uint64_t number; /* as given to ph_spool_add() */
};

struct ph_spool {
    FILE *file; /* deleted already; NULL while there is nothing in it */
    struct ph_spool_entry entries[PH_SPOOL_MAX];
    size_t count;
};

void ph_spool_fini(struct ph_spool *spool);

/** ph_spool_add() - keep one more; while count is less than PH_SPOOL_MAX. 0; -errno of writing, -ENOMEM, with a sentence. */
int ph_spool_add(struct ph_spool *spool, const struct ph_profile *profile, uint64_t number, struct ph_error *error);

/** ph_spool_read() - the profile at place @i, new in @ret_profile. 0; -errno, -ENOMEM, with a sentence in @error. */
int ph_spool_read(const struct ph_spool *spool, size_t i, struct ph_profile **ret_profile, struct ph_error *error);

/** ph_spool_thin() - drop every second one of the older half. 0; else -errno with a sentence, and nothing changed. */
int ph_spool_thin(struct ph_spool *spool, struct ph_error *error);

#endif
