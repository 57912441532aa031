/* thread_view.h - what threads do, for a person at a terminal. */
#ifndef PH_TOOLS_THREAD_VIEW_H
#define PH_TOOLS_THREAD_VIEW_H

#include "base/buf.h"
#include "tools/thread_answer.h"

#include <stdbool.h>
#include <stddef.h>

enum ph_thread_by {
    PH_THREADS_EACH,
    PH_THREADS_BY_STACK, /* those with equal stacks together */
    PH_THREADS_BY_PID,   /* a row of a table for each process */
};

struct ph_thread_view {
    const struct ph_thread_answer *answer;
    const char *subject; /* whose threads: a process, a URL; made visible already */
    enum ph_thread_by by;
    size_t hidden_unknown_count; /* as told by ph_thread_answer_filter() */
    size_t width;                /* cut lines to it; 0: do not cut */
    bool has_colour, has_utf8;
};

/** ph_thread_view_write() - append: how many there are, deadlocks, then all that are shown. 0 or -ENOMEM. */
int ph_thread_view_write(const struct ph_thread_view *view, struct ph_buf *out);

#endif
