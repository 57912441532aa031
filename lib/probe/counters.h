/* counters.h - what the probe could not do, counted. Any thread; async-signal-safe. */
#ifndef PH_PROBE_COUNTERS_H
#define PH_PROBE_COUNTERS_H

#include "probe/probe.h"

extern struct ph_probe_counters ph_counters;
extern struct ph_probe ph_probe;

/* What had to be done without: ph_probe.degraded. */
static inline void ph_degrade(enum ph_degraded what)
{
    __atomic_fetch_or(&ph_probe.degraded, (unsigned)what, __ATOMIC_RELAXED);
}

#define PH_COUNT(name) ((void)__atomic_fetch_add(&ph_counters.name, 1, __ATOMIC_RELAXED))

#endif
