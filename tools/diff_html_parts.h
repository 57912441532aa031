/* diff_html_parts.h - the parts of the page, one file each. All append; memory that runs out is told by the buffer. */
#ifndef PH_TOOLS_DIFF_HTML_PARTS_H
#define PH_TOOLS_DIFF_HTML_PARTS_H

#include "base/buf.h"
#include "growth/report.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** ph_diff_html_text() - text of unknown origin: visible, then escaped. Good in elements and in quoted attributes. */
void ph_diff_html_text(struct ph_buf *out, const char *text);

/** ph_diff_html_name() - the function of a frame; ph_diff_html_place(): its source or module, nothing if unknown;
 * ph_diff_html_frame(): both, with the folders of the source and the module in a tooltip. */
void ph_diff_html_name(const struct ph_growth_report *report, uint32_t frame, struct ph_buf *out);
void ph_diff_html_place(const struct ph_growth_report *report, uint32_t frame, struct ph_buf *out);
void ph_diff_html_frame(const struct ph_growth_report *report, uint32_t frame, struct ph_buf *out);

/** ph_diff_html_label() - the label of a site as a mark with sign and words; ph_diff_html_key(): as a class. */
void ph_diff_html_label(const struct ph_growth_report *report, enum ph_growth_label label, struct ph_buf *out);
const char *ph_diff_html_key(enum ph_growth_label label);

/** ph_diff_html_since() - "03:01:35 ±20s", without markup; nothing where no onset is known. */
void ph_diff_html_since(const struct ph_growth_report *report, const struct ph_verdict *verdict,
                        struct ph_buf *out);

/** ph_diff_html_rows() - how many sites the page lists: all, as long as the file stays small. */
size_t ph_diff_html_rows(const struct ph_growth_report *report);

/** ph_diff_html_half() - half the width of the interval of a change, on its wider side. */
double ph_diff_html_half(const struct ph_verdict *verdict);

static inline bool ph_diff_html_has_grown(const struct ph_growth_site *site)
{
    return site->verdict.label >= PH_GROWTH_PLATEAU;
}

void ph_diff_html_verdict(const struct ph_growth_report *report, struct ph_buf *out); /* diff_html_verdict.c */
void ph_diff_html_summary(const struct ph_growth_report *report, struct ph_buf *out);
void ph_diff_html_places(const struct ph_growth_report *report, struct ph_buf *out); /* diff_html_lists.c */
void ph_diff_html_plain_sites(const struct ph_growth_report *report, struct ph_buf *out);
void ph_diff_html_undecided(const struct ph_growth_report *report, struct ph_buf *out);
void ph_diff_html_warnings(const struct ph_growth_report *report, struct ph_buf *out);
void ph_diff_html_profiles(const struct ph_growth_report *report, struct ph_buf *out);

/** ph_diff_html_data() - what the script draws, as JSON in which no '<' stands. 0 or -ENOMEM. */
int ph_diff_html_data(const struct ph_growth_report *report, struct ph_buf *out);

#endif
