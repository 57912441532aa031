/* clock.h - time, in nanoseconds. Any thread; async-signal-safe; no system call on Linux (vDSO). */
#ifndef PH_BASE_CLOCK_H
#define PH_BASE_CLOCK_H

#include <stdint.h>

#define PH_NS_PER_S  INT64_C(1000000000)
#define PH_NS_PER_MS INT64_C(1000000)

int64_t ph_clock_monotonic_ns(void);
int64_t ph_clock_realtime_ns(void); /* since 1970-01-01 UTC */

#endif
