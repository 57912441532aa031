#include "tools/diff_text.h"

#include "base/clock.h"
#include "tools/diff_text_parts.h"
#include "tools/diff_words.h"

#include <math.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#define TOP_DEFAULT 10
#define TIGHT_BELOW 3 /* rather than less than so many call sites, no blank lines */
#define NAMED_MAX   3 /* of the sites that could not be decided, so many are named */

static void add_blank_line(struct ph_diff_page *page)
{
    if (!page->is_tight)
        ph_paint_end(&page->paint);
}

void ph_diff_text_heading(struct ph_diff_page *page, const char *title)
{
    add_blank_line(page);
    ph_paint_text(&page->paint, PH_STYLE_TITLE, title);
    ph_paint_end(&page->paint);
}

const char *ph_diff_text_arrow(const struct ph_diff_page *page)
{
    return page->paint.has_utf8 ? " ← " : " < ";
}

static double change_of(const struct ph_growth_report *report, int type)
{
    return report->summary.now[type] - report->summary.base[type];
}

/* ---- what was compared, and the answer in a sentence ---- */

static void write_subject(struct ph_diff_page *page)
{
    const struct ph_growth_report *report = page->report;
    const struct ph_growth_profile *first = &report->profiles[0], *last = first + report->profile_count - 1;
    time_t when = (time_t)(first->time_ns / PH_NS_PER_S);
    struct tm local;
    char day[32] = "";
    ph_paint_printf(&page->paint, PH_STYLE_PLAIN, "%s profiles of %s",
                    ph_human_count((int64_t)report->profile_count).text, ph_diff_metric_name(report->metric));
    if (report->has_times && localtime_r(&when, &local) && strftime(day, sizeof(day), "%Y-%m-%d", &local))
        ph_paint_printf(&page->paint, PH_STYLE_PLAIN, ", %s %s to %s", day,
                        ph_diff_time(report, first->seconds).text, ph_diff_time(report, last->seconds).text);
    ph_paint_if_it_fits(&page->paint, ", %s to %s", first->name, last->name);
    ph_paint_end(&page->paint);
}

/* Is the change of the total more than noise: 1 it grew, -1 it shrank, 0 it cannot be told. */
static int total_sign(const struct ph_growth_report *report)
{
    return report->summary.total_low > 0 ? 1 : report->summary.total_high < 0 ? -1 : 0;
}

static uint32_t grown_site_count(const struct ph_growth_report *report)
{
    const uint32_t *counts = report->summary.label_counts;
    return counts[PH_GROWTH_GROWING] + counts[PH_GROWTH_STEP] + counts[PH_GROWTH_PLATEAU];
}

bool ph_diff_text_has_growth(const struct ph_growth_report *report)
{
    return total_sign(report) > 0 || grown_site_count(report) > 0;
}

/* "95%: +48.0 to +73.0 MiB": the unit once where it is the same. */
static void add_interval(const struct ph_growth_report *report, struct ph_buf *text)
{
    struct ph_human low = ph_diff_change(report->metric, report->summary.total_low);
    struct ph_human high = ph_diff_change(report->metric, report->summary.total_high);
    char *unit = strchr(low.text, ' '), *same = strchr(high.text, ' ');
    if (unit && same && strcmp(unit, same) == 0)
        *unit = '\0';
    ph_buf_printf(text, "95%%: %s to %s", low.text, high.text);
}

static void write_answer(struct ph_diff_page *page)
{
    const struct ph_growth_report *report = page->report;
    int sign = total_sign(report);
    double change = change_of(report, (int)report->metric);
    struct ph_buf text = PH_BUF_INIT;
    ph_buf_printf(&text, "%s %s %s", ph_diff_metric_words(report->metric),
                  sign > 0   ? "grew by"
                  : sign < 0 ? "shrank by"
                             : "changed by",
                  sign ? ph_diff_amount(report->metric, fabs(change)).text
                       : ph_diff_change(report->metric, change).text);
    if (report->has_times)
        ph_buf_printf(&text, " in %s", ph_human_duration(report->profiles[report->profile_count - 1].seconds).text);
    ph_buf_printf(&text, ", %s sampling noise (", sign ? "more than" : "within");
    add_interval(report, &text);
    ph_buf_text(&text, ").");
    ph_paint_wrapped(&page->paint, sign > 0 ? PH_STYLE_BAD : PH_STYLE_STRONG, 0, text.data ? text.data : "");
    ph_buf_fini(&text);
}

static void write_site_counts(struct ph_diff_page *page)
{
    static const struct {
        enum ph_growth_label label;
        const char *words;
    } kinds[] = {{PH_GROWTH_GROWING, "still growing"},
                 {PH_GROWTH_STEP, "grew in a step and stayed"},
                 {PH_GROWTH_PLATEAU, "grew and levelled off"},
                 {PH_GROWTH_SHRINKING, "shrank"}};
    const struct ph_growth_report *report = page->report;
    const uint32_t *counts = report->summary.label_counts;
    struct ph_buf text = PH_BUF_INIT;
    bool is_pair = report->profile_count == 2, has_grown = false;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        uint32_t count = counts[kinds[i].label];
        if (count == 0)
            continue;
        bool is_verb = kinds[i].label != PH_GROWTH_GROWING || is_pair;
        ph_buf_printf(&text, "%s%s%s %s%s", text.size_bytes ? ", " : "", ph_human_count(count).text,
                      text.size_bytes ? ""
                      : count == 1    ? " call site"
                                      : " call sites",
                      is_verb      ? ""
                      : count == 1 ? "is "
                                   : "are ",
                      is_pair && kinds[i].label == PH_GROWTH_GROWING ? "grew" : kinds[i].words);
        has_grown = has_grown || kinds[i].label != PH_GROWTH_SHRINKING;
    }
    if (!has_grown)
        ph_buf_printf(&text, "%s call site %s", text.size_bytes ? "; no" : "No",
                      total_sign(report) > 0 ? "by itself grew by enough to be listed"
                                             : "grew by more than sampling noise");
    ph_buf_char(&text, '.');
    ph_diff_text_focus(report, &text);
    ph_paint_wrapped(&page->paint, PH_STYLE_STRONG, 0, text.data ? text.data : "");
    ph_buf_fini(&text);
}

static void write_outlook(struct ph_diff_page *page)
{
    const struct ph_growth_summary *summary = &page->report->summary;
    struct ph_buf text = PH_BUF_INIT;
    if (isnan(summary->seconds_to_limit))
        return;
    ph_buf_printf(&text, "At %s the total meets the limit in %s.",
                  ph_diff_rate(page->report, summary->rate_per_second).text,
                  ph_human_duration(summary->seconds_to_limit).text);
    ph_paint_wrapped(&page->paint, PH_STYLE_BAD, 0, text.data ? text.data : "");
    ph_buf_fini(&text);
}

/* ---- the table ---- */

static void write_row(struct ph_diff_page *page, enum ph_heap_type type)
{
    const struct ph_growth_report *report = page->report;
    double base = report->summary.base[type], now = report->summary.now[type], change = now - base;
    struct ph_paint *paint = &page->paint;
    bool is_metric = type == report->metric;
    int sign = is_metric ? total_sign(report) : 0;
    if (isnan(base) && isnan(now))
        return;
    ph_paint_printf(paint, is_metric ? PH_STYLE_STRONG : PH_STYLE_PLAIN, "%-15s%13s%13s%13s%10s",
                    ph_diff_metric_words(type), ph_diff_amount(type, base).text, ph_diff_amount(type, now).text,
                    ph_diff_change(type, change).text, ph_diff_percent_change(change, base).text);
    if (is_metric)
        ph_paint_printf(paint, sign ? PH_STYLE_STRONG : PH_STYLE_PLAIN, "%14s", sign ? "yes" : "no");
    ph_paint_end(paint);
}

static void write_table(struct ph_diff_page *page)
{
    static const enum ph_heap_type order[] = {PH_HEAP_INUSE_SPACE, PH_HEAP_INUSE_OBJECTS, PH_HEAP_ALLOC_SPACE,
                                              PH_HEAP_ALLOC_OBJECTS};
    add_blank_line(page);
    ph_paint_printf(&page->paint, PH_STYLE_FAINT, "%-15s%13s%13s%13s%10s%14s", "", "base", "new", "change",
                    "of base", "beyond noise");
    ph_paint_end(&page->paint);
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        write_row(page, order[i]);
}

/* ---- what could not be decided ---- */

static void write_reason(struct ph_diff_page *page, const char *reason)
{
    ph_paint_text(&page->paint, PH_STYLE_PLAIN, "- ");
    ph_paint_wrapped(&page->paint, PH_STYLE_PLAIN, 2, reason);
}

static void add_insufficient(const struct ph_growth_report *report, struct ph_buf *text)
{
    uint32_t count = report->summary.label_counts[PH_GROWTH_INSUFFICIENT], named = 0;
    ph_buf_printf(text, "%s call site%s grew, but on too few samples to tell%s", ph_human_count(count).text,
                  count == 1 ? "" : "s", count > NAMED_MAX ? ", such as" : ":");
    for (size_t i = 0; i < report->site_count && named < NAMED_MAX; i++) {
        const struct ph_growth_site *site = &report->sites[i];
        if (site->verdict.label != PH_GROWTH_INSUFFICIENT || site->frame_count == 0)
            continue;
        ph_buf_printf(text, "%s %s in ", named++ ? "," : "",
                      ph_diff_change(report->metric, site->verdict.change).text);
        ph_diff_function(report, site->frames[ph_diff_own_frame(report, site->frames, site->frame_count)], text);
        ph_buf_printf(text, " (about %s)", ph_human_count((int64_t)fmax(1, fmin(site->sampled, 1e9))).text);
    }
    ph_buf_text(text, ". More time, or a smaller PORTHOLE_HEAP_SAMPLE, tells more");
}

static void write_undecided(struct ph_diff_page *page)
{
    const struct ph_growth_report *report = page->report;
    const uint32_t *counts = report->summary.label_counts;
    bool has_few = counts[PH_GROWTH_INSUFFICIENT] > 0, is_pair = report->profile_count == 2;
    bool is_spread = total_sign(report) > 0 && grown_site_count(report) == 0;
    struct ph_buf text = PH_BUF_INIT;
    if (!has_few && !is_pair && !is_spread)
        return;
    ph_diff_text_heading(page, "Not decided");
    if (has_few) {
        add_insufficient(report, &text);
        write_reason(page, text.data ? text.data : "");
    }
    if (is_spread)
        write_reason(page, "The total grew, but no single call site by as much as --min asks for and by more than "
                           "sampling noise: with --by module or a smaller --min the growth may show");
    if (is_pair)
        write_reason(page, "Since when, and whether it goes on: two profiles do not tell, three or more do");
    ph_buf_fini(&text);
}

static void write_warnings(struct ph_diff_page *page)
{
    const struct ph_growth_report *report = page->report;
    if (report->warning_count > 0)
        ph_diff_text_heading(page, "Warnings");
    for (size_t i = 0; i < report->warning_count; i++) {
        ph_paint_text(&page->paint, PH_STYLE_WARN, "- ");
        ph_paint_wrapped(&page->paint, PH_STYLE_WARN, 2, report->warnings[i]);
    }
}

static int write_page(const struct ph_growth_report *report, const struct ph_diff_view *view, size_t top_count,
                      bool is_tight, struct ph_buf *out)
{
    struct ph_diff_page page = {
        .report = report,
        .top_count = top_count,
        .is_tight = is_tight,
        .paint = {.out = out, .width = view->width, .has_colour = view->has_colour, .has_utf8 = view->has_utf8},
    };
    write_subject(&page);
    write_answer(&page);
    write_site_counts(&page);
    write_outlook(&page);
    write_table(&page);
    ph_diff_text_sites(&page);
    ph_diff_text_inflections(&page);
    write_undecided(&page);
    write_warnings(&page);
    return ph_buf_status(out);
}

/* With the line of the prompt below. */
static bool fits(const struct ph_buf *page, size_t height)
{
    size_t line_count = 1;
    for (size_t i = 0; i < page->size_bytes; i++)
        line_count += page->data[i] == '\n';
    return line_count <= height;
}

int ph_diff_text_write(const struct ph_growth_report *report, const struct ph_diff_view *view, struct ph_buf *out)
{
    struct ph_buf page = PH_BUF_INIT;
    size_t top_count = view->top_count ? view->top_count : TOP_DEFAULT;
    bool is_tight = false;
    int failed = write_page(report, view, top_count, is_tight, &page);
    while (failed == 0 && view->top_count == 0 && view->height && !fits(&page, view->height) && top_count > 1) {
        is_tight = --top_count <= TIGHT_BELOW;
        page.size_bytes = 0;
        failed = write_page(report, view, top_count, is_tight, &page);
    }
    ph_buf_append(out, page.data ? page.data : "", page.size_bytes);
    ph_buf_fini(&page);
    return failed ? failed : ph_buf_status(out);
}
