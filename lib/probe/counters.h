/* counters.h - what the probe could not do, counted. Any thread; async-signal-safe. */
#ifndef PH_PROBE_COUNTERS_H
#define PH_PROBE_COUNTERS_H

#include "probe/probe.h"

extern struct ph_probe_counters ph_counters;

#define PH_COUNT(name) ((void)__atomic_fetch_add(&ph_counters.name, 1, __ATOMIC_RELAXED))

#endif
