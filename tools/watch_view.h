/* watch_view.h - what `porthole watch` shows: a screen that is drawn again, or a block of lines for each profile. */
#ifndef PH_TOOLS_WATCH_VIEW_H
#define PH_TOOLS_WATCH_VIEW_H

#include "base/error.h"
#include "tools/diff_options.h"
#include "tools/live.h"
#include "tools/screen.h"
#include "tools/watcher.h"

#include <stddef.h>

struct ph_watch_view {
    const struct ph_diff_options *options;
    const struct ph_live *live;
    const struct ph_watcher *watcher;
    struct ph_error notice; /* what to say below the report; code 0 for nothing */
    size_t first_line;      /* scrolled so far */
    size_t page_lines;      /* private */
};

/** ph_watch_view_print() - head and report as lines on stdout. */
void ph_watch_view_print(const struct ph_watch_view *view);

/** ph_watch_view_draw() - the same on the screen, from first_line on, fitted to its size now. */
void ph_watch_view_draw(struct ph_watch_view *view);

/** ph_watch_view_scroll() - change first_line by @key. */
void ph_watch_view_scroll(struct ph_watch_view *view, enum ph_key key);

#endif
