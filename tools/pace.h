/*
 * pace.h - ticks that do not drift: the n-th is n times the interval after the first, however long the work between
 * them takes. A tick that work has run over is left out, not made up for. Times are monotonic.
 */
#ifndef PH_TOOLS_PACE_H
#define PH_TOOLS_PACE_H

#include <stdint.h>

struct ph_pace {
    int64_t every_ns;
    int64_t due_ns; /* the tick that is next */
};

/** ph_pace_start() - the first tick is @now_ns. */
struct ph_pace ph_pace_start(int64_t now_ns, int64_t every_ns);

/** ph_pace_advance() - go on to the first tick that is later than the last one and not before @now_ns. How many were
 * left out for that. */
int64_t ph_pace_advance(struct ph_pace *pace, int64_t now_ns);

#endif
