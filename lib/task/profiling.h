/*
 * profiling.h - a profile over some seconds: what is wished for, and that only one runs at a time in a process.
 */
#ifndef PH_TASK_PROFILING_H
#define PH_TASK_PROFILING_H

#include "base/error.h"
#include "probe/probe.h"

#include <stdbool.h>
#include <stdint.h>

#define PH_PROFILE_HZ_DEFAULT 100
#define PH_PROFILE_HZ_MAX     1000

struct ph_profiling {
    const struct ph_probe *probe;
    unsigned seconds;                    /* 1 or more */
    unsigned hz;                         /* 1 to PH_PROFILE_HZ_MAX */
    bool bare;                           /* without names, for another process of the family */
    bool (*is_cancelled)(void *context); /* asked some 20 times a second; NULL: never */
    void *context;
};

/** ph_profiling_begin() - the place is taken from now on. 0; -EBUSY: @error says since when one runs and how long it lasts still.
 * ph_profiling_end() - it is free again. Any thread. */
int ph_profiling_begin(const struct ph_profiling *wish, struct ph_error *error);
void ph_profiling_end(void);

/** ph_profiling_state() - is one running, since when, until when (CLOCK_MONOTONIC)? For 409 and for pages. Any thread. */
bool ph_profiling_state(int64_t *ret_since_ns, int64_t *ret_until_ns);

/** ph_profiling_forked() - in a forked child: none runs. */
void ph_profiling_forked(void);

#endif
