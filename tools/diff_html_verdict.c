/* diff_html_verdict.c - the head of the page: one sentence, the site to look at first, the totals. */
#include "tools/diff_html_parts.h"

#include "tools/diff_words.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define PROGRAM_SITES 50 /* are asked which program this is */
#define CALLERS_MAX   6

static bool is_library(const char *module)
{
    return strstr(module, ".so") || module[0] == '[' || !module[0];
}

/* Reports do not tell the program: it is the first module that is no library, seen from the roots. */
static const char *program_name(const struct ph_growth_report *report)
{
    for (size_t i = 0; i < report->site_count && i < PROGRAM_SITES; i++) {
        const struct ph_growth_site *site = &report->sites[i];
        for (uint32_t frame = site->frame_count; frame-- > 0;)
            if (!is_library(report->frames[site->frames[frame]].module))
                return report->frames[site->frames[frame]].module;
    }
    return NULL;
}

/* The first that still grows, for a cache that has filled is no reason to get up; else the first that grew. */
static const struct ph_growth_site *guilty_site(const struct ph_growth_report *report)
{
    const struct ph_growth_site *first = NULL;
    for (size_t i = 0; i < report->site_count && ph_diff_html_has_grown(&report->sites[i]); i++) {
        if (report->sites[i].verdict.label == PH_GROWTH_GROWING && report->sites[i].frame_count > 0)
            return &report->sites[i];
        first = first || report->sites[i].frame_count == 0 ? first : &report->sites[i];
    }
    return first;
}

static void add_span(const struct ph_growth_report *report, struct ph_buf *out)
{
    const char *program = program_name(report);
    double last = report->profile_count ? report->profiles[report->profile_count - 1].seconds : 0;
    ph_buf_text(out, "<p class=soft>");
    if (program) {
        ph_buf_text(out, "<b class=program>");
        ph_diff_html_text(out, program);
        ph_buf_text(out, "</b> · ");
    }
    ph_buf_printf(out, "%zu profiles", report->profile_count);
    if (report->has_times)
        ph_buf_printf(out, ", %s to %s (%s)", ph_diff_time(report, 0).text, ph_diff_time(report, last).text,
                      ph_diff_span(report, last).text);
    else
        ph_buf_text(out, ", in the order given");
    ph_buf_text(out, "</p>\n");
}

/* What is said of the site that is named, behind its name. */
static void add_course(const struct ph_growth_report *report, const struct ph_verdict *verdict, struct ph_buf *out)
{
    struct ph_human time = ph_diff_time(report, verdict->onset_seconds);
    if (report->profile_count == 2 || (!verdict->has_onset && verdict->label != PH_GROWTH_GROWING))
        ph_buf_printf(out, " alone by %s", ph_diff_amount(report->metric, verdict->change).text);
    else if (!verdict->has_onset)
        ph_buf_text(out, " is growing");
    else if (verdict->label == PH_GROWTH_STEP)
        ph_buf_printf(out, " grew at once, at %s", time.text);
    else if (verdict->label == PH_GROWTH_PLATEAU)
        ph_buf_printf(out, " grew from %s on, then levelled off", time.text);
    else
        ph_buf_printf(out, " has been growing since %s", time.text);
}

static const char *than_noise(const struct ph_growth_report *report)
{
    double low = report->summary.total_low, high = report->summary.total_high;
    double change = report->summary.now[report->metric] - report->summary.base[report->metric];
    if (isnan(change) || fabs(change) < 1)
        return "";
    return low > 0 ? ", but no single site stands out" : high < 0 ? "" : ", no more than sampling explains";
}

static void add_sentence(const struct ph_growth_report *report, const struct ph_growth_site *site,
                         struct ph_buf *out)
{
    const struct ph_growth_summary *summary = &report->summary;
    double change = summary->now[report->metric] - summary->base[report->metric];
    ph_buf_printf(out, "<h1>%s ", ph_diff_metric_words(report->metric));
    if (isnan(change) || fabs(change) < 1)
        ph_buf_text(out, "did not change");
    else
        ph_buf_printf(out, "%s by <span class=%s>%s</span>", change > 0 ? "grew" : "fell",
                      change > 0 ? "grew" : "shrank", ph_diff_amount(report->metric, fabs(change)).text);
    if (site) {
        ph_buf_printf(out, "%s <code class=name>", change > 0 ? ":" : ", but");
        ph_diff_html_name(report, site->frames[ph_diff_own_frame(report, site->frames, site->frame_count)], out);
        ph_buf_text(out, "</code>");
        add_course(report, &site->verdict, out);
    } else {
        ph_buf_text(out, than_noise(report));
    }
    ph_buf_text(out, ".</h1>\n");
}

/* Callers of the guilty line, nearest last: "worker_main > handle_request > session_new". */
static void add_callers(const struct ph_growth_report *report, const struct ph_growth_site *site,
                        struct ph_buf *out)
{
    uint32_t own = ph_diff_own_frame(report, site->frames, site->frame_count), end = site->frame_count;
    while (end > own + 1 && ph_diff_is_start(report, site->frames[end - 1]))
        end--;
    uint32_t first = end > own + 1 + CALLERS_MAX ? own + 1 + CALLERS_MAX : end;
    if (first == own + 1)
        return;
    ph_buf_text(out, "<p class=path><span class=soft>called by</span> ");
    for (uint32_t i = own + 1; i < first; i++) {
        ph_buf_text(out, i > own + 1 ? " <span class=soft>← </span>" : "");
        ph_diff_html_frame(report, site->frames[i], out);
    }
    ph_buf_text(out, first < end ? " <span class=soft>← …</span></p>\n" : "</p>\n");
}

static void add_fact(struct ph_buf *out, const char *name, const char *value, const char *more)
{
    ph_buf_printf(out, "<div><dt>%s</dt><dd>%s", name, value);
    if (more[0])
        ph_buf_printf(out, " <small>%s</small>", more);
    ph_buf_text(out, "</dd></div>\n");
}

static void add_since(const struct ph_growth_report *report, const struct ph_verdict *verdict, struct ph_buf *out)
{
    struct ph_buf since = PH_BUF_INIT, number = PH_BUF_INIT;
    ph_diff_html_since(report, verdict, &since);
    if (report->has_times)
        ph_buf_printf(&number, "profile %zu of %zu", verdict->onset_index + 1, report->profile_count);
    if (ph_buf_status(&since) == 0 && ph_buf_status(&number) == 0)
        add_fact(out, verdict->label == PH_GROWTH_STEP ? "At" : "Since", since.data,
                 number.data ? number.data : "");
    else
        out->failed = -ENOMEM;
    ph_buf_fini(&since);
    ph_buf_fini(&number);
}

static void add_facts(const struct ph_growth_report *report, const struct ph_growth_site *site, struct ph_buf *out)
{
    const struct ph_verdict *verdict = &site->verdict;
    char half[sizeof(struct ph_human) + 8];
    snprintf(half, sizeof(half), "±%s", ph_diff_amount(report->metric, ph_diff_html_half(verdict)).text);
    ph_buf_text(out, "<dl class=facts>\n");
    add_fact(out, "Grew by", ph_diff_change(report->metric, verdict->change).text, half);
    add_fact(out, "Of all growth", ph_diff_percent(verdict->change, ph_diff_growth(report)).text, "");
    if (verdict->has_onset)
        add_since(report, verdict, out);
    if (verdict->label == PH_GROWTH_GROWING && report->has_times && report->profile_count > 2)
        add_fact(out, "Growing at", ph_diff_rate(report, verdict->rate_per_second).text, "");
    if (isfinite(report->summary.seconds_to_limit))
        add_fact(out, "Limit met in", ph_diff_span(report, report->summary.seconds_to_limit).text, "");
    ph_buf_text(out, "</dl>\n");
}

static void add_guilty(const struct ph_growth_report *report, const struct ph_growth_site *site, struct ph_buf *out)
{
    uint32_t own = ph_diff_own_frame(report, site->frames, site->frame_count);
    ph_buf_printf(out, "<div class=\"card guilty %s\">\n<p>", ph_diff_html_key(site->verdict.label));
    ph_diff_html_label(report, site->verdict.label, out);
    ph_buf_text(out, "</p>\n<p class=line>");
    ph_diff_html_frame(report, site->frames[own], out);
    ph_buf_text(out, "</p>\n");
    add_callers(report, site, out);
    ph_buf_printf(out, "<div class=spark data-site=%zu></div>\n", (size_t)(site - report->sites));
    add_facts(report, site, out);
    ph_buf_text(out, "</div>\n");
}

/* "1 growing, 2 step, 40 noise" as marks. */
static void add_counts(const struct ph_growth_report *report, struct ph_buf *out)
{
    if (report->site_count == 0)
        return;
    ph_buf_printf(out, "<p class=counts>%s call site%s: ", ph_human_count((int64_t)report->site_count).text,
                  report->site_count == 1 ? "" : "s");
    for (int label = PH_GROWTH_LABEL_COUNT - 1; label >= 0; label--) {
        uint32_t count = report->summary.label_counts[label];
        if (count == 0)
            continue;
        ph_buf_printf(out, "<span class=count>%s ", ph_human_count(count).text);
        ph_diff_html_label(report, (enum ph_growth_label)label, out);
        ph_buf_text(out, "</span> ");
    }
    ph_buf_text(out, "</p>\n");
}

void ph_diff_html_verdict(const struct ph_growth_report *report, struct ph_buf *out)
{
    const struct ph_growth_site *site = guilty_site(report);
    ph_buf_text(out, "<section id=verdict aria-label=Verdict>\n");
    add_span(report, out);
    add_sentence(report, site, out);
    add_counts(report, out);
    if (site)
        add_guilty(report, site, out);
    ph_buf_text(out, "</section>\n");
}

/* ---- totals ---- */

/* Counts of all allocations only ever grow: no colour for that. */
static const char *total_class(const struct ph_growth_report *report, enum ph_heap_type type, double change)
{
    bool is_cumulative = type == PH_HEAP_ALLOC_SPACE || type == PH_HEAP_ALLOC_OBJECTS;
    if (is_cumulative && type != report->metric)
        return "";
    return change > 0 ? " grew" : change < 0 ? " shrank" : "";
}

static void add_total(const struct ph_growth_report *report, enum ph_heap_type type, struct ph_buf *out)
{
    double base = report->summary.base[type], now = report->summary.now[type];
    if (isnan(base) && isnan(now))
        return;
    ph_buf_printf(out, "<tr%s><th scope=row>%s<td class=number>%s<td class=number>%s<td class=\"number%s\">%s",
                  type == report->metric ? " class=chosen" : "", ph_diff_metric_words(type),
                  ph_diff_amount(type, base).text, ph_diff_amount(type, now).text,
                  total_class(report, type, now - base), ph_diff_change(type, now - base).text);
    if (type == report->metric)
        ph_buf_printf(out, " <small>(%s to %s)</small>", ph_diff_change(type, report->summary.total_low).text,
                      ph_diff_change(type, report->summary.total_high).text);
    ph_buf_printf(out, "<td class=number>%s</tr>\n", ph_diff_percent_change(now - base, base).text);
}

void ph_diff_html_summary(const struct ph_growth_report *report, struct ph_buf *out)
{
    static const enum ph_heap_type order[] = {PH_HEAP_INUSE_SPACE, PH_HEAP_INUSE_OBJECTS, PH_HEAP_ALLOC_SPACE,
                                              PH_HEAP_ALLOC_OBJECTS};
    ph_buf_text(out, "<section aria-labelledby=totals>\n<h2 id=totals>Totals</h2>\n<div class=wide tabindex=0 "
                     "role=region aria-labelledby=totals><table class=totals>\n<thead><tr><th scope=col><th "
                     "scope=col class=number>"
                     "First<th scope=col class=number>Last<th scope=col class=number>Change <small>(95 % "
                     "interval)</small><th scope=col class=number>Of the first</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        add_total(report, order[i], out);
    ph_buf_text(out, "</tbody></table></div>\n</section>\n");
}
