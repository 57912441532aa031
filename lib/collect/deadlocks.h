/* deadlocks.h - who waits for whom, in a circle. Any thread. */
#ifndef PH_COLLECT_DEADLOCKS_H
#define PH_COLLECT_DEADLOCKS_H

#include "model/profile.h"

#include <stddef.h>
#include <stdint.h>

/** ph_thread_dump_deadlocks() - the cycles among owners in a dump, whoever made it (also of a family: only tids of one pid).
 * Calls @found once for each with its tids in the order "waits for the next". */
void ph_thread_dump_deadlocks(const struct ph_profile *dump,
                              void (*found)(void *context, int64_t pid, const int64_t *tids, size_t count),
                              void *context);

#endif
