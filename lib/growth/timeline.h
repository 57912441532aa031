/*
 * timeline.h - profiles put in order: when each was taken, which process it is of, and which of them are compared.
 */
#ifndef PH_GROWTH_TIMELINE_H
#define PH_GROWTH_TIMELINE_H

#include "growth/program.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ph_moment {   /* of one profile, in the order of adding */
    int64_t time_ns; /* realtime; 0 if unknown */
    struct ph_program program;
    double allocated; /* what was allocated since the process began; NAN if unknown */
};

struct ph_timeline {
    uint32_t *order;                        /* profile numbers in the order of time */
    double *seconds;                        /* since the first; strictly rising; else 0, 1, 2, … */
    bool *is_break;                         /* another process than the one before */
    size_t count;                           /* of what is compared */
    size_t left_out_before, left_out_after; /* profiles of other processes, around what is compared */
    size_t untimed_count;                   /* without a time; then the order is that of adding */
    size_t equal_count;                     /* with the time of another; between them the order is that of adding */
    bool has_times;
    bool is_reordered; /* by time: not the order of adding */
};

/**
 * ph_timeline_init() - order @moments. 0, -ENOMEM.
 *
 * Of several processes only the last one that has three profiles is compared: a restart gives all memory back, and a
 * trend across it means nothing. Where none has three, all are compared, as one does with two builds.
 */
int ph_timeline_init(struct ph_timeline *timeline, const struct ph_moment *moments, size_t count);
void ph_timeline_fini(struct ph_timeline *timeline);

#endif
