/* diff_text_parts.h - what the files of the text report share; private to diff_text*.c. */
#ifndef PH_TOOLS_DIFF_TEXT_PARTS_H
#define PH_TOOLS_DIFF_TEXT_PARTS_H

#include "tools/diff_text.h"
#include "tools/paint.h"

/* A report on its way to the screen. */
struct ph_diff_page {
    const struct ph_growth_report *report;
    size_t top_count;
    bool is_tight; /* no blank lines */
    struct ph_paint paint;
};

/** Each writes its section with a blank line before it, or nothing if there is nothing to tell. */
void ph_diff_text_sites(struct ph_diff_page *page);       /* diff_text_sites.c */
void ph_diff_text_inflections(struct ph_diff_page *page); /* diff_text_tree.c */

/** ph_diff_text_has_growth() - did the total grow by more than noise, or any call site? If not, there is no place where
 * growth concentrates. */
bool ph_diff_text_has_growth(const struct ph_growth_report *report);

/** ph_diff_text_focus() - append where most of the growth is: "87.1% of all growth is below handle_request"; nothing
 * if no single place has most of it. */
void ph_diff_text_focus(const struct ph_growth_report *report, struct ph_buf *text);

/** ph_diff_text_heading() - a blank line and the title of a section. */
void ph_diff_text_heading(struct ph_diff_page *page, const char *title);

/** ph_diff_text_function() - a function and where it is, "session_new (session.c:41)", in the rest of the line; if it
 * is long, the name is cut and the place stays. */
void ph_diff_text_function(struct ph_diff_page *page, enum ph_style style, uint32_t frame);

/** ph_diff_text_path() - "a < b < c (3 more)": as many of @frames (from @first on, in steps of @step) as the line
 * has room for. */
void ph_diff_text_path(struct ph_diff_page *page, const uint32_t *frames, uint32_t first, uint32_t count, int step,
                       const char *arrow);

/** ph_diff_text_arrow() - what stands between a function and its caller. */
const char *ph_diff_text_arrow(const struct ph_diff_page *page);

#endif
