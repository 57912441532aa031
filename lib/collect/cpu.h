/* cpu.h - where CPU time goes, by timers on the CPU clocks of all threads. */
#ifndef PH_COLLECT_CPU_H
#define PH_COLLECT_CPU_H

#include "base/error.h"
#include "model/profile.h"
#include "task/profiling.h"

/**
 * ph_cpu_profile() - samples/count and cpu/nanoseconds, period 1e9/hz of cpu; labels thread and tid and the program's own.
 *
 * What was lost is said in comments, by reason. A profile that is cut short because the host took the signal says so, too.
 * 0; -EBUSY: one of either kind runs: @error says since when and how long it lasts; -ECANCELED; -ENOSPC: no signal is free; -EPERM:
 * the host filters system calls; -ENOMEM.
 */
int ph_cpu_profile(const struct ph_profiling *wish, struct ph_profile **ret_profile, struct ph_error *error);

#endif
