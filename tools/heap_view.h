/* heap_view.h - a heap profile as a table that a person reads. */
#ifndef PH_TOOLS_HEAP_VIEW_H
#define PH_TOOLS_HEAP_VIEW_H

#include "base/buf.h"
#include "base/error.h"
#include "base/human.h"
#include "model/profile.h"
#include "tools/heap_family.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ph_heap_view {
    const struct ph_profile *profile;
    uint32_t type;       /* which value to show */
    const char *subject; /* what it is the heap of: a process, a URL, a file; made visible already */
    size_t row_count;    /* show at most so many functions */
    size_t width;        /* cut lines to it; 0: do not cut */
    const char *program; /* its name; NULL: that of the first mapping */
    bool by_pid;         /* a row for each process instead of for each function */
};

/**
 * ph_heap_view_write() - append heading and table.
 * 0 or -ENOMEM; by pid, -ENODATA if the profile does not tell of processes.
 */
int ph_heap_view_write(const struct ph_heap_view *view, struct ph_buf *out);

/** ph_heap_pids_write() - append the table by process. 0 or -ENOMEM. Part of ph_heap_view_write(). */
int ph_heap_pids_write(const struct ph_heap_view *view, const struct ph_heap_family *family, struct ph_buf *out);

/** ph_heap_value_text() - a value of the view's type: bytes, or a count. */
struct ph_human ph_heap_value_text(const struct ph_heap_view *view, int64_t value);

/**
 * ph_heap_sampled_count() - on how many samples the values of @type rest, about; negative if that cannot be told.
 *
 * Profiles hold unbiased values. One sampled object stands for 1 / (1 - exp(-size / rate)) objects (scale.h), so objects
 * divided by that, summed over the stacks, were sampled. The mean size of a stack is used for all its objects.
 */
double ph_heap_sampled_count(const struct ph_profile *profile, uint32_t type);

#endif
