/* diff_html_data.c - the numbers the page's script draws, as JSON. */
#include "tools/diff_html_parts.h"

#include "base/visible.h"
#include "tools/diff_html_tree.h"
#include "tools/diff_words.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNUSED      UINT32_MAX
#define MOST_FRAMES 250 /* of a stack that are listed: a recursion may have millions */

struct writer {
    const struct ph_growth_report *report;
    struct ph_tree trees[2]; /* by enum ph_growth_side */
    size_t row_count;
    uint32_t *numbers; /* of the frames that are used, in the file; UNUSED */
    struct ph_buf json;
};

/* A comma between items; call with a counter that starts at 0. */
static void separate(struct writer *writer, size_t *count)
{
    if ((*count)++ > 0)
        ph_buf_char(&writer->json, ',');
}

static void add_number(struct writer *writer, double value)
{
    if (isfinite(value))
        ph_buf_printf(&writer->json, fabs(value) < 1e15 && fabs(value) >= 100 ? "%.0f" : "%.6g", value);
    else
        ph_buf_text(&writer->json, "null");
}

static void add_named(struct writer *writer, const char *name, double value)
{
    ph_buf_printf(&writer->json, ",\"%s\":", name);
    add_number(writer, value);
}

static void add_numbers(struct writer *writer, const double *values, size_t count)
{
    size_t written = 0;
    ph_buf_char(&writer->json, '[');
    for (size_t i = 0; i < count; i++) {
        separate(writer, &written);
        add_number(writer, values[i]);
    }
    ph_buf_char(&writer->json, ']');
}

static void add_string(struct writer *writer, const char *text)
{
    struct ph_buf shown = PH_BUF_INIT;
    ph_visible(&shown, text);
    ph_buf_json(&writer->json, shown.data ? shown.data : "");
    if (ph_buf_status(&shown) < 0)
        writer->json.failed = -ENOMEM;
    ph_buf_fini(&shown);
}

static uint32_t listed_count(const struct ph_growth_site *site)
{
    return site->frame_count < MOST_FRAMES ? site->frame_count : MOST_FRAMES;
}

/* ---- frames: only those that something on the page shows ---- */

static void use_frames(struct writer *writer, const uint32_t *frames, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (frames[i] != PH_TREE_ROOT)
            writer->numbers[frames[i]] = 0;
}

static void use_all(struct writer *writer)
{
    const struct ph_growth_report *report = writer->report;
    for (size_t i = 0; i < writer->row_count; i++)
        use_frames(writer, report->sites[i].frames, listed_count(&report->sites[i]));
    for (size_t i = 0; i < report->inflection_count; i++)
        use_frames(writer, report->inflections[i].frames, report->inflections[i].frame_count);
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < writer->trees[side].node_count; i++)
            use_frames(writer, &writer->trees[side].nodes[i].frame, 1);
    uint32_t number = 0;
    for (size_t i = 0; i < report->frame_count; i++)
        if (writer->numbers[i] != UNUSED)
            writer->numbers[i] = number++;
}

/* [function, place as shown, file, module] */
static void add_frame(struct writer *writer, uint32_t frame)
{
    const struct ph_growth_frame *place = &writer->report->frames[frame];
    struct ph_buf name = PH_BUF_INIT, shown = PH_BUF_INIT;
    ph_diff_function(writer->report, frame, &name);
    ph_diff_place(writer->report, frame, &shown);
    ph_buf_char(&writer->json, '[');
    add_string(writer, name.data ? name.data : "");
    ph_buf_char(&writer->json, ',');
    add_string(writer, shown.data ? shown.data : "");
    ph_buf_char(&writer->json, ',');
    add_string(writer, place->file);
    ph_buf_char(&writer->json, ',');
    add_string(writer, place->module);
    ph_buf_char(&writer->json, ']');
    if (ph_buf_status(&name) < 0 || ph_buf_status(&shown) < 0)
        writer->json.failed = -ENOMEM;
    ph_buf_fini(&name);
    ph_buf_fini(&shown);
}

static void add_frames(struct writer *writer)
{
    size_t count = 0;
    ph_buf_text(&writer->json, ",\n\"frames\":[");
    for (size_t i = 0; i < writer->report->frame_count; i++) {
        if (writer->numbers[i] == UNUSED)
            continue;
        separate(writer, &count);
        ph_buf_char(&writer->json, '\n');
        add_frame(writer, (uint32_t)i);
    }
    ph_buf_text(&writer->json, "]");
}

static void add_path(struct writer *writer, const uint32_t *frames, size_t count)
{
    ph_buf_text(&writer->json, "[");
    for (size_t i = 0; i < count; i++)
        ph_buf_printf(&writer->json, "%s%u", i > 0 ? "," : "", writer->numbers[frames[i]]);
    ph_buf_text(&writer->json, "]");
}

/* ---- profiles, sites, places ---- */

static void add_profiles(struct writer *writer)
{
    const struct ph_growth_report *report = writer->report;
    ph_buf_text(&writer->json, ",\n\"profiles\":[");
    for (size_t i = 0; i < report->profile_count; i++) {
        const struct ph_growth_profile *profile = &report->profiles[i];
        int64_t total = profile->totals[report->metric];
        ph_buf_printf(&writer->json, "%s\n{\"isBreak\":%s,\"name\":", i > 0 ? "," : "",
                      profile->is_break ? "true" : "false");
        add_string(writer, profile->name);
        ph_buf_text(&writer->json, ",\"time\":");
        add_string(writer, ph_diff_time(report, profile->seconds).text);
        add_named(writer, "seconds", profile->seconds);
        add_named(writer, "total", total < 0 ? (double)NAN : (double)total);
        ph_buf_char(&writer->json, '}');
    }
    ph_buf_text(&writer->json, "]");
}

static void add_onset(struct writer *writer, const struct ph_verdict *verdict)
{
    struct ph_buf since = PH_BUF_INIT;
    if (!verdict->has_onset)
        return;
    ph_diff_html_since(writer->report, verdict, &since);
    add_named(writer, "onset", verdict->onset_seconds);
    add_named(writer, "onsetLow", verdict->onset_low);
    add_named(writer, "onsetHigh", verdict->onset_high);
    ph_buf_text(&writer->json, ",\"since\":");
    add_string(writer, since.data ? since.data : "");
    if (ph_buf_status(&since) < 0)
        writer->json.failed = -ENOMEM;
    ph_buf_fini(&since);
}

static void add_site(struct writer *writer, const struct ph_growth_site *site)
{
    const struct ph_growth_report *report = writer->report;
    const struct ph_verdict *verdict = &site->verdict;
    ph_buf_printf(&writer->json,
                  "\n{\"label\":\"%s\",\"words\":\"%s\",\"own\":%u,\"stack\":", ph_diff_html_key(verdict->label),
                  ph_diff_label_words(report, verdict->label),
                  ph_diff_own_frame(report, site->frames, listed_count(site)));
    add_path(writer, site->frames, listed_count(site));
    add_named(writer, "deeper", site->frame_count - listed_count(site));
    add_named(writer, "change", verdict->change);
    add_named(writer, "half", ph_diff_html_half(verdict));
    add_named(writer, "q", verdict->q);
    add_named(writer, "base", site->base);
    add_named(writer, "now", site->now);
    add_named(writer, "objects", site->object_change);
    add_named(writer, "sampled", site->sampled);
    if (isfinite(site->age_seconds))
        ph_buf_printf(&writer->json, ",\"age\":\"%s\"", ph_human_duration(site->age_seconds).text);
    if (verdict->label == PH_GROWTH_GROWING && report->has_times) {
        add_named(writer, "rate", verdict->rate_per_second);
        ph_buf_printf(&writer->json, ",\"rateWords\":\"%s\"", ph_diff_rate(report, verdict->rate_per_second).text);
    }
    add_onset(writer, verdict);
    ph_buf_text(&writer->json, ",\"values\":");
    add_numbers(writer, site->values, report->profile_count);
    ph_buf_char(&writer->json, '}');
}

static void add_sites(struct writer *writer)
{
    size_t count = 0;
    ph_buf_text(&writer->json, ",\n\"sites\":[");
    for (size_t i = 0; i < writer->row_count; i++) {
        separate(writer, &count);
        add_site(writer, &writer->report->sites[i]);
    }
    ph_buf_text(&writer->json, "]");
}

static void add_inflections(struct writer *writer)
{
    size_t count = 0;
    ph_buf_text(&writer->json, ",\n\"inflections\":[");
    for (size_t i = 0; i < writer->report->inflection_count; i++) {
        const struct ph_growth_inflection *inflection = &writer->report->inflections[i];
        separate(writer, &count);
        ph_buf_printf(&writer->json, "{\"side\":%d,\"path\":", (int)inflection->side);
        add_path(writer, inflection->frames, inflection->frame_count);
        ph_buf_char(&writer->json, '}');
    }
    ph_buf_text(&writer->json, "]");
}

/* ---- trees: columns rather than objects, a third of the size; frame -1 is the root ---- */

static double node_now(const struct ph_tree_node *node)
{
    return node->now;
}

static double node_change(const struct ph_tree_node *node)
{
    return node->change;
}

static double node_growth(const struct ph_tree_node *node)
{
    return node->growth;
}

static double node_depth(const struct ph_tree_node *node)
{
    return node->depth;
}

static void add_column(struct writer *writer, const struct ph_tree *tree, const char *name,
                       double (*value)(const struct ph_tree_node *))
{
    ph_buf_printf(&writer->json, ",\n\"%s\":[", name);
    for (size_t i = 0; i < tree->node_count; i++)
        ph_buf_printf(&writer->json, "%s%.0f", i > 0 ? "," : "", value(&tree->nodes[i]));
    ph_buf_char(&writer->json, ']');
}

static void add_tree(struct writer *writer, const struct ph_tree *tree)
{
    ph_buf_printf(&writer->json, "{\"cutShare\":%g,\"cutCount\":%zu,\"deepCount\":%zu,\"frame\":[", tree->cut_share,
                  tree->cut_count, tree->deep_count);
    for (size_t i = 0; i < tree->node_count; i++) {
        uint32_t frame = tree->nodes[i].frame;
        ph_buf_printf(&writer->json, "%s%lld", i > 0 ? "," : "",
                      frame == PH_TREE_ROOT ? -1LL : (long long)writer->numbers[frame]);
    }
    ph_buf_text(&writer->json, "]");
    add_column(writer, tree, "depth", node_depth);
    add_column(writer, tree, "now", node_now);
    add_column(writer, tree, "change", node_change);
    add_column(writer, tree, "growth", node_growth);
    ph_buf_text(&writer->json, "}");
}

static void add_everything(struct writer *writer)
{
    const struct ph_growth_report *report = writer->report;
    bool is_space = report->metric == PH_HEAP_INUSE_SPACE || report->metric == PH_HEAP_ALLOC_SPACE;
    ph_buf_printf(
        &writer->json, "{\"unit\":\"%s\",\"metric\":\"%s\",\"byLine\":%s,\"hasTimes\":%s,\"siteCount\":%zu",
        is_space ? "bytes" : "objects", ph_diff_metric_words(report->metric),
        report->by == PH_BY_LINE ? "true" : "false", report->has_times ? "true" : "false", report->site_count);
    add_profiles(writer);
    add_frames(writer);
    add_sites(writer);
    add_inflections(writer);
    ph_buf_text(&writer->json, ",\n\"trees\":[");
    add_tree(writer, &writer->trees[PH_SIDE_CALLER]);
    ph_buf_text(&writer->json, ",\n");
    add_tree(writer, &writer->trees[PH_SIDE_ALLOCATOR]);
    ph_buf_text(&writer->json, "]}\n");
}

/* JSON knows '<' and the line separators inside strings only, where they may be written as escapes: then nothing ends
 * the element that holds it. HTML Standard, "Restrictions for contents of script elements". */
static void add_escaped(const struct ph_buf *json, struct ph_buf *out)
{
    const char *next = json->data, *end = next + json->size_bytes;
    ph_buf_reserve(out, json->size_bytes);
    while (next < end) {
        size_t plain = 0;
        const char *stop = next + strcspn(next, "<\xe2");
        plain = (size_t)(stop - next);
        ph_buf_append(out, next, plain);
        next = stop;
        if (next == end)
            break;
        if (*next == '<') {
            ph_buf_text(out, "\\u003c");
            next++;
        } else if (end - next >= 3 && next[1] == '\x80' && (next[2] == '\xa8' || next[2] == '\xa9')) {
            ph_buf_text(out, next[2] == '\xa8' ? "\\u2028" : "\\u2029");
            next += 3;
        } else {
            ph_buf_char(out, *next++);
        }
    }
}

int ph_diff_html_data(const struct ph_growth_report *report, struct ph_buf *out)
{
    struct writer writer = {.report = report, .row_count = ph_diff_html_rows(report), .json = PH_BUF_INIT};
    int status = -ENOMEM;
    writer.numbers = malloc((report->frame_count + 1) * sizeof(*writer.numbers));
    if (writer.numbers && ph_tree_build(report, PH_SIDE_CALLER, &writer.trees[PH_SIDE_CALLER]) == 0 &&
        ph_tree_build(report, PH_SIDE_ALLOCATOR, &writer.trees[PH_SIDE_ALLOCATOR]) == 0) {
        memset(writer.numbers, 0xff, (report->frame_count + 1) * sizeof(*writer.numbers)); /* UNUSED */
        use_all(&writer);
        add_everything(&writer);
        status = ph_buf_status(&writer.json);
    }
    if (status == 0)
        add_escaped(&writer.json, out);
    ph_tree_free(&writer.trees[PH_SIDE_CALLER]);
    ph_tree_free(&writer.trees[PH_SIDE_ALLOCATOR]);
    ph_buf_fini(&writer.json);
    free(writer.numbers);
    return status < 0 ? status : ph_buf_status(out);
}
