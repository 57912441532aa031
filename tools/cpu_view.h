/* cpu_view.h - a CPU or wall profile as a table that a person reads. */
#ifndef PH_TOOLS_CPU_VIEW_H
#define PH_TOOLS_CPU_VIEW_H

#include "base/buf.h"
#include "model/profile.h"

#include <stddef.h>
#include <stdint.h>

enum ph_cpu_by {
    PH_CPU_BY_FUNCTION,
    PH_CPU_BY_LINE,
    PH_CPU_BY_MODULE,
    PH_CPU_BY_THREAD,
    PH_CPU_BY_PID,
};

struct ph_cpu_view {
    const struct ph_profile *profile;
    uint32_t type;       /* which value to show: ph_cpu_type() */
    const char *subject; /* what it is the profile of: a process, a URL, a file; made visible already */
    const char *program; /* its name; NULL: that of the first mapping */
    enum ph_cpu_by by;
    size_t row_count; /* show at most so many */
    size_t width;     /* cut lines to it; 0: do not cut */
};

/** ph_cpu_type() - the type that holds the time: cpu or wall; else samples, else -1: it is no such profile. */
int ph_cpu_type(const struct ph_profile *profile);

/**
 * ph_cpu_view_write() - append heading and table: time used of time passed, how many samples, and what was lost, as the profile's
 * comments tell.
 * 0 or -ENOMEM; by thread or pid, -ENODATA if the profile does not tell of them.
 */
int ph_cpu_view_write(const struct ph_cpu_view *view, struct ph_buf *out);

/** ph_cpu_shares_write() - append the table by thread or process. 0, -ENOMEM, -ENODATA. Part of ph_cpu_view_write(). */
int ph_cpu_shares_write(const struct ph_cpu_view *view, struct ph_buf *out);

#endif
