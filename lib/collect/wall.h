/* wall.h - where time goes, on and off the processor. */
#ifndef PH_COLLECT_WALL_H
#define PH_COLLECT_WALL_H

#include "base/error.h"
#include "model/profile.h"
#include "task/profiling.h"

/** ph_wall_profile() - samples/count and wall/nanoseconds of all threads, period 1e9/hz of wall; label state as well. Blocked threads
 * are looked at from outside, never signalled; one whose (SP, PC, switches) did not change keeps its stack. */
int ph_wall_profile(const struct ph_profiling *wish, struct ph_profile **ret_profile, struct ph_error *error);

#endif
