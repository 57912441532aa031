/*
 * profile_counts.h - how many profiles of each kind this process has made, for /metrics. Of this process only, since it started
 * or was forked. Any thread; no lock.
 */
#ifndef PH_SERVER_PROFILE_COUNTS_H
#define PH_SERVER_PROFILE_COUNTS_H

#include <stdint.h>

enum ph_profile_kind {
    PH_PROFILE_HEAP,
    PH_PROFILE_THREADCREATE,
    PH_PROFILE_THREADS,
    PH_PROFILE_CPU,
    PH_PROFILE_WALL,
    PH_PROFILE_KINDS,
};

/** ph_profile_counts_add() - one more was made. */
void ph_profile_counts_add(enum ph_profile_kind kind);

uint64_t ph_profile_counts_read(enum ph_profile_kind kind);

/** ph_profile_kind_name() - one lower-case word. */
const char *ph_profile_kind_name(enum ph_profile_kind kind);

/** ph_profile_counts_forked() - in a forked child: none was made. Async-signal-safe. */
void ph_profile_counts_forked(void);

#endif
