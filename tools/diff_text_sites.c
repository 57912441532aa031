/* diff_text_sites.c - the call sites that grew, each with what a reader needs to go there. */
#include "tools/diff_text_parts.h"
#include "tools/diff_words.h"
#include "tools/sparkline.h"

#include <math.h>
#include <stdint.h>

#define INDENT       9 /* as wide as "shrinking" */
#define CELLS_NARROW 12
#define CELLS_WIDE   40
#define WIDE         110

static bool has_grown(const struct ph_growth_site *site)
{
    enum ph_growth_label label = site->verdict.label;
    return label == PH_GROWTH_GROWING || label == PH_GROWTH_STEP || label == PH_GROWTH_PLATEAU;
}

static enum ph_style label_style(enum ph_growth_label label)
{
    return label == PH_GROWTH_GROWING ? PH_STYLE_BAD : label == PH_GROWTH_SHRINKING ? PH_STYLE_GOOD : PH_STYLE_WARN;
}

static const char *plus_minus(const struct ph_diff_page *page)
{
    return page->paint.has_utf8 ? "±" : "+-";
}

/* What of a library it called: "via operator new". */
static void add_library(struct ph_diff_page *page, uint32_t frame)
{
    struct ph_buf name = PH_BUF_INIT;
    ph_diff_function(page->report, frame, &name);
    ph_paint_if_it_fits(&page->paint, " via %s", name.data ? name.data : "");
    if (ph_buf_status(&name) < 0)
        page->paint.out->failed = name.failed;
    ph_buf_fini(&name);
}

/* The process that the site is of, where they are told apart; else NULL. */
static const char *process_of(const struct ph_growth_report *report, const struct ph_growth_site *site)
{
    return site->frame_count ? ph_diff_process(report, site->frames[site->frame_count - 1]) : NULL;
}

/* "growing   +44.0 MiB ±8.0 MiB  session_new (session.c:41)", and by pid " in process 7" */
static void write_head(struct ph_diff_page *page, const struct ph_growth_site *site)
{
    const struct ph_growth_report *report = page->report;
    const struct ph_verdict *verdict = &site->verdict;
    enum ph_style style = label_style(verdict->label);
    const char *process = process_of(report, site);
    uint32_t own = ph_diff_own_frame(report, site->frames, site->frame_count);
    double half = fmax(verdict->change - verdict->low, verdict->high - verdict->change);
    ph_paint_printf(&page->paint, style, "%-*s", INDENT, ph_diff_label_words(report, verdict->label));
    ph_paint_printf(&page->paint, style, "%12s", ph_diff_change(report->metric, verdict->change).text);
    ph_paint_printf(&page->paint, PH_STYLE_PLAIN, " %s%s", plus_minus(page),
                    ph_diff_amount(report->metric, half).text);
    ph_paint_skip(&page->paint, INDENT + 12 + 14);
    if (site->frame_count > 0)
        ph_diff_text_function(page, PH_STYLE_STRONG, site->frames[own]);
    if (process && site->frame_count > 1)
        ph_paint_printf(&page->paint, PH_STYLE_PLAIN, " in %s", process);
    if (own > 0)
        add_library(page, site->frames[own - 1]);
    ph_paint_end(&page->paint);
}

static void add_since(const struct ph_diff_page *page, const struct ph_verdict *verdict, struct ph_buf *text)
{
    const struct ph_growth_report *report = page->report;
    double half = fmax(verdict->onset_high - verdict->onset_seconds, verdict->onset_seconds - verdict->onset_low);
    ph_buf_printf(text, "%s%s %s", text->size_bytes ? " " : "", verdict->label == PH_GROWTH_STEP ? "at" : "since",
                  ph_diff_time(report, verdict->onset_seconds).text);
    if (half > 0)
        ph_buf_printf(text, " %s%s", plus_minus(page), ph_diff_span(report, half).text);
    if (report->has_times)
        ph_buf_printf(text, " (profile %zu of %zu)", verdict->onset_index + 1, report->profile_count);
}

/* What is good to know, if there is room. */
static void add_extras(struct ph_diff_page *page, const struct ph_growth_site *site)
{
    const struct ph_growth_report *report = page->report;
    struct ph_paint *paint = &page->paint;
    ph_paint_if_it_fits(paint, ", %s of all growth",
                        ph_diff_percent(site->verdict.change, ph_diff_growth(report)).text);
    if (!isnan(site->age_seconds))
        ph_paint_if_it_fits(paint, ", mean age %s", ph_human_duration(site->age_seconds).text);
}

/* When and how fast: "▁▁▁▂▃▅▆█  +11.4 MiB/min since 03:01:35 ±20s (profile 4 of 12)". */
static void write_course(struct ph_diff_page *page, const struct ph_growth_site *site)
{
    const struct ph_growth_report *report = page->report;
    const struct ph_verdict *verdict = &site->verdict;
    struct ph_buf spark = PH_BUF_INIT, text = PH_BUF_INIT;
    bool is_wide = page->paint.width == 0 || page->paint.width >= WIDE;
    if (report->profile_count > 2)
        ph_sparkline(site->values, report->profile_count, is_wide ? CELLS_WIDE : CELLS_NARROW, page->paint.has_utf8,
                     &spark);
    ph_buf_text(&spark, spark.size_bytes ? "  " : "");
    if (verdict->label == PH_GROWTH_GROWING && (report->has_times || report->profile_count > 2))
        ph_buf_printf(&text, "%s", ph_diff_rate(report, verdict->rate_per_second).text);
    if (verdict->has_onset)
        add_since(page, verdict, &text);
    else
        ph_buf_printf(&text, "%s%s to %s", text.size_bytes ? ", " : "",
                      ph_diff_amount(report->metric, site->base).text,
                      ph_diff_amount(report->metric, site->now).text);
    ph_paint_skip(&page->paint, INDENT + 1);
    ph_paint_text(&page->paint, label_style(verdict->label), spark.data ? spark.data : "");
    ph_paint_text(&page->paint, PH_STYLE_PLAIN, text.data ? text.data : "");
    add_extras(page, site);
    ph_paint_end(&page->paint);
    ph_buf_fini(&spark);
    ph_buf_fini(&text);
}

static void write_stack(struct ph_diff_page *page, const struct ph_growth_site *site)
{
    uint32_t own = ph_diff_own_frame(page->report, site->frames, site->frame_count), end = site->frame_count;
    end -= process_of(page->report, site) != NULL;
    while (end > own + 1 && ph_diff_is_start(page->report, site->frames[end - 1]))
        end--;
    if (own + 1 < end) {
        ph_paint_skip(&page->paint, INDENT + 1);
        ph_paint_text(&page->paint, PH_STYLE_FAINT, "called by ");
        ph_diff_text_path(page, site->frames, own + 1, end - own - 1, 1, ph_diff_text_arrow(page));
        ph_paint_end(&page->paint);
    }
}

static void write_site(struct ph_diff_page *page, const struct ph_growth_site *site)
{
    write_head(page, site);
    write_course(page, site);
    write_stack(page, site);
}

static void write_more(struct ph_diff_page *page, size_t hidden_count, size_t total_count)
{
    if (hidden_count == 0)
        return;
    ph_paint_printf(&page->paint, PH_STYLE_FAINT, "%zu more: --top %zu shows all", hidden_count, total_count);
    ph_paint_end(&page->paint);
}

static void write_grown(struct ph_diff_page *page)
{
    const struct ph_growth_report *report = page->report;
    size_t count = 0;
    while (count < report->site_count && has_grown(&report->sites[count]))
        count++;
    if (count == 0)
        return;
    ph_diff_text_heading(page, "What grew");
    for (size_t i = 0; i < count && i < page->top_count; i++)
        write_site(page, &report->sites[i]);
    write_more(page, count > page->top_count ? count - page->top_count : 0, count);
}

/* One line each: who looks for a leak wants to know that there are some, and little more. */
static void write_shrunk(struct ph_diff_page *page)
{
    const struct ph_growth_report *report = page->report;
    size_t count = 0;
    for (size_t i = 0; i < report->site_count; i++) {
        if (report->sites[i].verdict.label != PH_GROWTH_SHRINKING || ++count > page->top_count)
            continue;
        if (count == 1)
            ph_diff_text_heading(page, "What shrank");
        write_head(page, &report->sites[i]);
    }
    write_more(page, count > page->top_count ? count - page->top_count : 0, count);
}

void ph_diff_text_sites(struct ph_diff_page *page)
{
    write_grown(page);
    write_shrunk(page);
}
