/* diff_text.h - what grew, since when and where, for a person at a terminal. */
#ifndef PH_TOOLS_DIFF_TEXT_H
#define PH_TOOLS_DIFF_TEXT_H

#include "base/buf.h"
#include "growth/report.h"

#include <stdbool.h>
#include <stddef.h>

/* How to show a report; by itself: lines that are never cut, without colour, of ASCII. */
struct ph_diff_view {
    size_t width;    /* fit lines to so many characters; 0: do not cut */
    size_t height;   /* how many lines the screen has; 0: it is none. See top_count */
    bool has_colour; /* escape sequences for colour and bold are welcome */
    bool has_utf8;   /* characters beyond ASCII are welcome: sparklines of blocks */
    size_t
        top_count; /* show at most so many growing sites and as many other rows of each kind; 0: up to 10, as many
                         as leave the report on one screen, and blank lines only if there is room for them */
};

/**
 * ph_diff_text_write() - append the report: summary, growing sites, inflection frames, what could not be decided,
 * warnings. Names are made visible (base/visible.h). Times are local.
 *
 * 0 or -ENOMEM. One thread at a time.
 */
int ph_diff_text_write(const struct ph_growth_report *report, const struct ph_diff_view *view, struct ph_buf *out);

#endif
