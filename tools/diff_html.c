#include "tools/diff_html.h"

#include "tools/diff_html_parts.h"
#include "tools/report_hashes.h"

#include <errno.h>

/* tools/report/, as numbers. */
static const char style[] = {
#include "tools/report_css.h"
};
static const char script[] = {
#include "tools/report_js.h"
};

/* Nothing is fetched, no other script or style runs. The empty icon keeps browsers from asking a server for one. */
#define POLICY                                                                                                     \
    "default-src 'none'; script-src '" PH_REPORT_JS_HASH "'; style-src '" PH_REPORT_CSS_HASH                       \
    "'; img-src data:; base-uri 'none'; form-action 'none'"

static void add_head(struct ph_buf *out)
{
    ph_buf_text(out, "<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n"
                     "<meta http-equiv=Content-Security-Policy content=\"" POLICY "\">\n"
                     "<meta name=viewport content=\"width=device-width, initial-scale=1\">\n"
                     "<meta name=referrer content=no-referrer>\n<link rel=icon href=\"data:,\">\n"
                     "<title>What grew – Porthole</title>\n<style>");
    ph_buf_append(out, style, sizeof(style));
    ph_buf_text(out, "</style>\n</head>\n<body>\n<a class=skip href=\"#verdict\">To the verdict</a>\n"
                     "<header>Porthole <span class=soft>what grew, since when, where</span>"
                     "<button type=button id=theme hidden>Dark</button></header>\n<main>\n");
}

/* Parts that the script fills, and shows then. */
static void add_drawn(const struct ph_growth_report *report, struct ph_buf *out)
{
    ph_buf_text(
        out, "<section aria-labelledby=time class=drawn hidden>\n<h2 id=time>Over time</h2>\n<div id=chart></div>\n"
             "</section>\n");
    ph_diff_html_places(report, out);
    if (report->site_count == 0)
        return;
    ph_buf_text(out,
                "<section aria-labelledby=tree class=drawn hidden>\n<h2 id=tree>Flame graph of the change</h2>\n"
                "<div id=flame></div>\n</section>\n"
                "<section aria-labelledby=sites>\n<h2 id=sites>Call sites</h2>\n<div id=table></div>\n");
    ph_diff_html_plain_sites(report, out);
    ph_buf_text(out, "</section>\n");
}

static void add_foot(const struct ph_growth_report *report, struct ph_buf *out)
{
    ph_buf_printf(
        out,
        "<footer>Intervals are 95 %% intervals of the sampling error. Of the sites called growing, step or "
        "plateau, at most %g %% are expected to be there by chance (%s). Times are those of the machine "
        "that made this page. Porthole " PACKAGE_VERSION ".</footer>\n</main>\n",
        100 * report->false_discovery_rate, report->is_strict ? "Benjamini–Yekutieli" : "Benjamini–Hochberg");
}

int ph_diff_html_write(const struct ph_growth_report *report, struct ph_buf *out)
{
    add_head(out);
    ph_diff_html_verdict(report, out);
    ph_diff_html_warnings(report, out);
    ph_diff_html_summary(report, out);
    add_drawn(report, out);
    ph_diff_html_undecided(report, out);
    ph_diff_html_profiles(report, out);
    add_foot(report, out);
    ph_buf_text(out, "<script type=\"application/json\" id=data>");
    int status = ph_diff_html_data(report, out);
    ph_buf_text(out, "</script>\n<script>");
    ph_buf_append(out, script, sizeof(script));
    ph_buf_text(out, "</script>\n</body>\n</html>\n");
    return status < 0 ? status : ph_buf_status(out);
}
