/* diff_html_lists.c - the parts of the page that are lists: places in the tree, sites, profiles, warnings. */
#include "tools/diff_html_parts.h"

#include "tools/diff_words.h"

#include <math.h>

#define PLAIN_ROWS     100 /* of the table without script */
#define UNDECIDED_ROWS 20
#define PATH_MAX_SHOWN 12

static void begin_section(struct ph_buf *out, const char *id, const char *title)
{
    ph_buf_printf(out, "<section aria-labelledby=%s>\n<h2 id=%s>%s</h2>\n", id, id, title);
}

/* ---- places in the tree ---- */

static void add_path(const struct ph_growth_report *report, const struct ph_growth_inflection *place,
                     struct ph_buf *out)
{
    uint32_t count = place->frame_count - 1; /* the frame itself is the title */
    uint32_t first = count > PATH_MAX_SHOWN ? count - PATH_MAX_SHOWN : 0;
    while (first < count && ph_diff_is_start(report, place->frames[first]))
        first++;
    if (first == count)
        return;
    ph_buf_printf(out, "<p class=path><span class=soft>%s</span> ",
                  place->side == PH_SIDE_CALLER ? "called by" : "calls");
    for (uint32_t i = count; i-- > first;) {
        ph_diff_html_frame(report, place->frames[i], out);
        ph_buf_text(out, i > first ? " <span class=soft>← </span>" : "");
    }
    ph_buf_text(out, first > 0 && count > PATH_MAX_SHOWN ? " <span class=soft>← …</span></p>\n" : "</p>\n");
}

static void add_children(const struct ph_growth_report *report, const struct ph_growth_inflection *place,
                         struct ph_buf *out)
{
    if (place->child_count == 0)
        return;
    const char *relation = place->side == PH_SIDE_CALLER ? "it calls" : "that call it";
    ph_buf_printf(out, "<p class=soft>%u function%s %s grew:</p>\n<ul class=bars>\n", place->fan_out,
                  place->fan_out == 1 ? "" : "s", relation);
    for (uint32_t i = 0; i < place->child_count; i++) {
        double share = place->growth > 0 ? place->child_growth[i] / place->growth : 0;
        ph_buf_printf(out, "<li><meter min=0 max=1 value=%.3f aria-hidden=true></meter><b class=grew>%s</b> ",
                      fmin(1, fmax(0, share)), ph_diff_change(report->metric, place->child_growth[i]).text);
        ph_diff_html_frame(report, place->children[i], out);
        ph_buf_text(out, "</li>\n");
    }
    ph_buf_text(out, "</ul>\n");
}

static const char *words_of_spread(const struct ph_growth_inflection *place)
{
    if (!place->is_spine || place->fan_out < 2)
        return "";
    return place->side == PH_SIDE_CALLER ? "; below it, growth spreads" : "; it has several callers that grow";
}

static void add_place(const struct ph_growth_report *report, size_t number, struct ph_buf *out)
{
    const struct ph_growth_inflection *place = &report->inflections[number];
    if (place->frame_count == 0)
        return;
    ph_buf_text(out, place->is_spine ? "<article class=\"card spine\">\n<h3>" : "<article class=card>\n<h3>");
    ph_diff_html_frame(report, place->frames[place->frame_count - 1], out);
    ph_buf_printf(out,
                  "</h3>\n<p><b class=grew>%s</b>, %s of all growth%s. <button type=button data-place=%zu hidden>"
                  "Show in the flame graph</button></p>\n",
                  ph_diff_change(report->metric, place->growth).text, ph_diff_percent(place->share, 1).text,
                  words_of_spread(place), number);
    add_path(report, place, out);
    add_children(report, place, out);
    ph_buf_text(out, "</article>\n");
}

void ph_diff_html_places(const struct ph_growth_report *report, struct ph_buf *out)
{
    if (report->inflection_count == 0)
        return;
    begin_section(out, "places", "Where growth concentrates");
    ph_buf_text(out, "<div class=cards>\n");
    for (size_t i = 0; i < report->inflection_count; i++)
        add_place(report, i, out);
    ph_buf_text(out, "</div>\n</section>\n");
}

/* ---- sites, for a reader without script ---- */

static void add_own_frame(const struct ph_growth_report *report, const struct ph_growth_site *site,
                          struct ph_buf *out)
{
    if (site->frame_count > 0)
        ph_diff_html_frame(report, site->frames[ph_diff_own_frame(report, site->frames, site->frame_count)], out);
    else
        ph_buf_text(out, "<span class=soft>without a stack</span>");
}

static void add_plain_site(const struct ph_growth_report *report, const struct ph_growth_site *site,
                           struct ph_buf *out)
{
    const struct ph_verdict *verdict = &site->verdict;
    ph_buf_text(out, "<tr><td>");
    ph_diff_html_label(report, verdict->label, out);
    ph_buf_text(out, "<td>");
    add_own_frame(report, site, out);
    ph_buf_printf(out, "<td class=number>%s <small>±%s</small><td>",
                  ph_diff_change(report->metric, verdict->change).text,
                  ph_diff_amount(report->metric, ph_diff_html_half(verdict)).text);
    ph_diff_html_since(report, verdict, out);
    ph_buf_text(out, "</tr>\n");
}

void ph_diff_html_plain_sites(const struct ph_growth_report *report, struct ph_buf *out)
{
    ph_buf_text(out,
                "<noscript>\n<p class=soft>Chart, flame graph and stacks need JavaScript.</p>\n<div class=wide "
                "tabindex=0 role=region aria-labelledby=sites><table class=unscripted>\n<thead>"
                "<tr><th scope=col>Verdict<th scope=col>Call site<th scope=col class=number>Change<th scope=col>"
                "Since</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < report->site_count && i < PLAIN_ROWS; i++)
        add_plain_site(report, &report->sites[i], out);
    ph_buf_text(out, "</tbody></table></div>\n</noscript>\n");
}

/* ---- what was not decidable ---- */

static void add_reasons(const struct ph_growth_report *report, struct ph_buf *out)
{
    bool has_grown = report->site_count > 0 && ph_diff_html_has_grown(&report->sites[0]);
    if (has_grown && report->profile_count == 2)
        ph_buf_text(out, "<li>Since when: two profiles do not tell; three do, and more tell better.</li>\n");
    if (has_grown && !report->has_times)
        ph_buf_text(out, "<li>How fast: the profiles do not tell their times.</li>\n");
    if (has_grown && isnan(report->summary.now[PH_HEAP_ALLOC_SPACE]))
        ph_buf_text(out,
                    "<li>How old the memory is: the profiles count what lives, not what was allocated.</li>\n");
}

static void add_undecided_sites(const struct ph_growth_report *report, struct ph_buf *out)
{
    uint32_t count = report->summary.label_counts[PH_GROWTH_INSUFFICIENT];
    size_t shown = 0;
    if (count == 0)
        return;
    ph_buf_printf(out,
                  "<li>Whether %s call site%s grew: too few sampled objects. A longer run or a smaller sampling "
                  "interval tells.<ul class=plain>\n",
                  ph_human_count(count).text, count == 1 ? "" : "s");
    for (size_t i = 0; i < report->site_count && shown < UNDECIDED_ROWS; i++) {
        const struct ph_growth_site *site = &report->sites[i];
        if (site->verdict.label != PH_GROWTH_INSUFFICIENT)
            continue;
        shown++;
        ph_buf_printf(out, "<li><b>%s</b> <small>±%s, about %.0f sampled</small> ",
                      ph_diff_change(report->metric, site->verdict.change).text,
                      ph_diff_amount(report->metric, ph_diff_html_half(&site->verdict)).text, site->sampled);
        add_own_frame(report, site, out);
        ph_buf_text(out, "</li>\n");
    }
    if (shown < count)
        ph_buf_printf(out, "<li class=soft>%s more</li>\n", ph_human_count((int64_t)(count - shown)).text);
    ph_buf_text(out, "</ul></li>\n");
}

void ph_diff_html_undecided(const struct ph_growth_report *report, struct ph_buf *out)
{
    struct ph_buf items = PH_BUF_INIT;
    add_reasons(report, &items);
    add_undecided_sites(report, &items);
    if (items.size_bytes > 0) {
        begin_section(out, "undecided", "What could not be decided");
        ph_buf_text(out, "<ul>\n");
        ph_buf_append(out, items.data, items.size_bytes);
        ph_buf_text(out, "</ul>\n</section>\n");
    }
    out->failed = out->failed ? out->failed : ph_buf_status(&items);
    ph_buf_fini(&items);
}

/* ---- warnings, profiles ---- */

void ph_diff_html_warnings(const struct ph_growth_report *report, struct ph_buf *out)
{
    if (report->warning_count == 0)
        return;
    ph_buf_text(
        out, "<section class=\"card warnings\" aria-labelledby=warnings>\n<h2 id=warnings>Warnings</h2>\n<ul>\n");
    for (size_t i = 0; i < report->warning_count; i++) {
        ph_buf_text(out, "<li>");
        ph_diff_html_text(out, report->warnings[i]);
        ph_buf_text(out, ".</li>\n");
    }
    ph_buf_text(out, "</ul>\n</section>\n");
}

static void add_profile(const struct ph_growth_report *report, size_t number, struct ph_buf *out)
{
    const struct ph_growth_profile *profile = &report->profiles[number];
    int64_t total = profile->totals[report->metric];
    ph_buf_printf(out, "<tr><td class=number>%zu<td><code>", number + 1);
    ph_diff_html_text(out, profile->name);
    ph_buf_printf(out, "</code>%s<td>%s<td class=number>%s<td class=number>%s<td class=number>%s</tr>\n",
                  profile->is_break ? " <b class=bad>another process</b>" : "",
                  report->has_times ? ph_diff_time(report, profile->seconds).text : "",
                  ph_diff_amount(report->metric, total < 0 ? (double)NAN : (double)total).text,
                  ph_human_count(profile->stack_count).text,
                  profile->rate_bytes > 0 ? ph_human_size((uint64_t)profile->rate_bytes).text : "?");
}

void ph_diff_html_profiles(const struct ph_growth_report *report, struct ph_buf *out)
{
    begin_section(out, "profiles", "Profiles");
    ph_buf_printf(
        out,
        "<details>\n<summary>%zu profiles, in the order of %s</summary>\n<div class=wide tabindex=0 "
        "role=region aria-labelledby=profiles><table>\n<thead><tr><th scope=col class=number>No.<th "
        "scope=col>Name<th scope=col>Time<th scope=col class=number>%s<th scope=col class=number>Stacks<th "
        "scope=col class=number>Sampling interval</tr></thead>\n<tbody>\n",
        report->profile_count, report->has_times ? "time" : "arrival", ph_diff_metric_words(report->metric));
    for (size_t i = 0; i < report->profile_count; i++)
        add_profile(report, i, out);
    ph_buf_text(out, "</tbody></table></div>\n</details>\n</section>\n");
}
