/* diff_html.h - what grew, since when and where, as one HTML file that needs nothing else and asks nobody. */
#ifndef PH_TOOLS_DIFF_HTML_H
#define PH_TOOLS_DIFF_HTML_H

#include "base/buf.h"
#include "growth/report.h"

/**
 * ph_diff_html_write() - append the page: verdict, chart, flame graph, sites, what was not decidable, warnings.
 *
 * Everything that comes from profiles is made visible (base/visible.h) and escaped; the page's policy admits its own
 * script and style only, by their hashes. Times are local. 0 or -ENOMEM. One thread at a time.
 */
int ph_diff_html_write(const struct ph_growth_report *report, struct ph_buf *out);

#endif
