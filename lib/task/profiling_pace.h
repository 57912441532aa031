/*
 * profiling_pace.h - the time of a profile over some seconds: when it ends, when to look for new threads, when to ask whether anybody
 * still wants it. One thread.
 */
#ifndef PH_TASK_PROFILING_PACE_H
#define PH_TASK_PROFILING_PACE_H

#include "base/error.h"
#include "task/profiling.h"

#include <stdint.h>

struct ph_pace {
    const struct ph_profiling *wish;
    int64_t begin_ns, until_ns; /* CLOCK_MONOTONIC; who ends early sets until_ns */
    int64_t next_scan_ns;       /* the next look for new threads is due */
    int64_t next_cancel_ns;
};

/** ph_pace_begin() - it begins now. @wish is borrowed. */
void ph_pace_begin(struct ph_pace *pace, const struct ph_profiling *wish);

/** ph_pace_check() - 0; -ECANCELED: nobody wants it any more, asked some 20 times a second. */
int ph_pace_check(struct ph_pace *pace, int64_t now_ns, struct ph_error *error);

/** ph_pace_scanned() - a look that began at @from_ns is over; the next is due in @interval_ns, or later if they would take more
 * than 5 % of a processor. */
void ph_pace_scanned(struct ph_pace *pace, int64_t from_ns, int64_t interval_ns);

/** ph_pace_sleep() - until @until_ns, or the end. */
void ph_pace_sleep(const struct ph_pace *pace, int64_t until_ns);

#endif
