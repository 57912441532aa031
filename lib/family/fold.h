/*
 * fold.h - memory that several processes hold since before a fork counts once.
 *
 * A forked child inherits its parent's live heap, and with it its samples. Where a profile covers several processes, each stack
 * of each process that took samples (its origin) counts once: what its owner holds in full, and of what others
 * inherited from it only what exceeds that, as the owner may have freed its own or ended. For each value:
 *
 *     extra = max(0, the most that one holder has inherited - what the owner has)
 */
#ifndef PH_FAMILY_FOLD_H
#define PH_FAMILY_FOLD_H

#include "base/error.h"
#include "model/profile.h"

/**
 * ph_fold() - by the labels of model/labels.h: pid and origin_pid on every sample, origin=inherited where it was.
 * @take_profile: consumed in any case.
 *
 * The result has no origin_pid. Extras are labelled origin=inherited and pid=that of the holder that has most of the default
 * type (of equal ones the first in the profile). Samples without these labels stay as they are. 0; -ENOMEM.
 */
int ph_fold(struct ph_profile *take_profile, struct ph_profile **ret_folded, struct ph_error *error);

#endif
