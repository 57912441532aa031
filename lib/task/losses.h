/*
 * losses.h - how many samples the profiles of this process have lost so far, for /metrics and notices. Since it started or was
 * forked. Any thread; no lock.
 */
#ifndef PH_TASK_LOSSES_H
#define PH_TASK_LOSSES_H

#include "probe/probe.h"

/** ph_losses_add() - what ph_probe.sampling_end() has counted, once for each profile. */
void ph_losses_add(const struct ph_sampling_counts *counts);

/** ph_losses_read() - the sums. */
struct ph_sampling_counts ph_losses_read(void);

/** ph_losses_forked() - in a forked child: nothing was lost. Async-signal-safe. */
void ph_losses_forked(void);

#endif
