#include "tools/flame_svg.h"

#include "base/human.h"
#include "base/index.h"
#include "base/visible.h"
#include "tools/flame_tree.h"
#include "tools/top_table.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define WIDTH      1200.0
#define MARGIN     10.0
#define ROW        18.0 /* of one frame, with the gap above it */
#define HEAD       66.0 /* title, summary, search, the frame that is pointed at */
#define FOOT       16.0
#define LETTER     7.25 /* one character of 12 px monospace */
#define MIN_WIDTH  0.1  /* narrower boxes are left out: they could not be seen */
#define NAME_BYTES 800  /* of a name in its box; the title has all of it */

struct graph {
    const struct ph_flame_tree *tree;
    struct ph_buf *out;
    struct ph_human (*show)(int64_t value); /* in its unit */
    bool has_counts;                        /* samples are told beside the value */
    double scale, height;                   /* pixels */
};

/* Text of unknown origin as XML. Control characters are no XML, not even as entities, nor are U+FFFE and U+FFFF. */
static void put_text(struct ph_buf *out, const char *text)
{
    struct ph_buf shown = PH_BUF_INIT;
    ph_visible(&shown, text);
    char *next = shown.data;
    while (next && (next = strstr(next, "\xef\xbf")) != NULL) {
        if ((unsigned char)next[2] >= 0xbe)
            next[2] = '\xbd'; /* U+FFFD */
        next += 2;
    }
    ph_buf_html(out, shown.data ? shown.data : "");
    if (ph_buf_status(&shown) < 0)
        out->failed = shown.failed;
    ph_buf_fini(&shown);
}

static void put_value(const struct graph *graph, double value)
{
    int64_t rounded = value < (double)INT64_MAX ? (int64_t)llround(value) : INT64_MAX;
    ph_buf_text(graph->out, graph->show(rounded).text);
}

/* ", 123 samples" where samples are not the value themselves. */
static void put_count(const struct graph *graph, const struct ph_flame_node *node)
{
    if (graph->has_counts)
        ph_buf_printf(graph->out, ", %s sample%s", ph_human_count(node->sample_count).text,
                      node->sample_count == 1 ? "" : "s");
}

static double share_of(const struct graph *graph, double value)
{
    double total = graph->tree->nodes[0].value;
    return total > 0 ? 100 * value / total : 0;
}

/* A warm colour that belongs to the name: the same function looks the same everywhere. */
static void put_colour(struct ph_buf *out, const char *name)
{
    uint64_t hash = ph_hash_bytes(name, strlen(name));
    ph_buf_printf(out, "hsl(%u,%u%%,%u%%)", (unsigned)(hash % 50) + 5, (unsigned)(hash >> 8) % 25 + 65,
                  (unsigned)(hash >> 16) % 14 + 58);
}

/* As much of the name as fits, nothing if that would be no use. */
static void put_label(struct ph_buf *out, const char *name, double width)
{
    char cut[NAME_BYTES + 1];
    double letters = (width - 6) / LETTER;
    if (letters < 3)
        return;
    struct ph_buf shown = PH_BUF_INIT;
    ph_visible(&shown, name);
    const char *text = shown.data ? shown.data : "";
    size_t fitting = letters < NAME_BYTES / 4 ? (size_t)letters : NAME_BYTES / 4;
    bool is_cut = ph_visible_width(text) > fitting;
    size_t bytes = ph_visible_cut(text, is_cut ? fitting - 2 : fitting);
    memcpy(cut, text, bytes);
    cut[bytes] = '\0';
    put_text(out, cut);
    ph_buf_text(out, is_cut ? ".." : "");
    ph_buf_fini(&shown);
}

static void put_box(const struct graph *graph, const struct ph_flame_node *node, double x, double width)
{
    struct ph_buf *out = graph->out;
    const char *name = ph_profile_text(graph->tree->profile, node->name);
    double y = graph->height - FOOT - ROW * (node->depth + 1);
    ph_buf_printf(out, "<g class=\"f\" data-x=\"%.3f\" data-w=\"%.3f\"><title>", x, width);
    put_text(out, name);
    ph_buf_text(out, " (");
    put_value(graph, node->value);
    put_count(graph, node);
    ph_buf_printf(out, ", %.2f%%)</title><rect x=\"%.2f\" y=\"%.0f\" width=\"%.2f\" height=\"%.0f\" fill=\"",
                  share_of(graph, node->value), x, y, width, ROW - 1);
    put_colour(out, name);
    ph_buf_printf(out, "\"/><text x=\"%.2f\" y=\"%.0f\">", x + 3, y + 13);
    put_label(out, name, width);
    ph_buf_text(out, "</text></g>\n");
}

/* The frame and what it called, left to right. The depth of the tree is bounded. */
static void put_frames(const struct graph *graph, uint32_t number, double x)
{
    const struct ph_flame_node *node = &graph->tree->nodes[number];
    double width = node->value * graph->scale;
    if (width < MIN_WIDTH)
        return;
    put_box(graph, node, x, width);
    for (uint32_t child = node->first_child; child; child = graph->tree->nodes[child].next) {
        put_frames(graph, child, x);
        x += graph->tree->nodes[child].value * graph->scale;
    }
}

static void put_summary(const struct graph *graph, const struct ph_value_type *type)
{
    const struct ph_flame_tree *tree = graph->tree;
    put_text(graph->out, ph_profile_text(tree->profile, type->type));
    ph_buf_text(graph->out, " ");
    put_value(graph, tree->nodes[0].value);
    put_count(graph, &tree->nodes[0]);
    ph_buf_printf(graph->out, "; %s stacks", ph_human_count(tree->profile->sample_count).text);
    if (tree->negative_count)
        ph_buf_printf(graph->out, "; %s of them negative: not shown", ph_human_count(tree->negative_count).text);
    if (tree->is_cut)
        ph_buf_printf(graph->out, "; only the first %d frames of each", PH_FLAME_DEPTH_MAX);
}

static const char style[] =
    "text{font:12px ui-monospace,Menlo,Consolas,monospace;fill:#111}"
    ":root{background:#fdfdfb}.bg{fill:#fdfdfb}.head{font-size:16px;font-weight:600}.dim{fill:#555}"
    ".f text{pointer-events:none}.f rect{stroke:#fdfdfb;stroke-width:.4}.f:hover rect,.f:focus "
    "rect{stroke:#111;stroke-width:1}"
    ".f{cursor:pointer;outline:none}.m rect{fill:#b04ad8}.m text{fill:#fff}.up{opacity:.55}.out{display:none}"
    ".key{cursor:pointer;text-decoration:underline}"
    "@media(prefers-color-scheme:dark){:root{background:#17181a}.bg{fill:#17181a}.head,.dim,.key{fill:#ddd}.f "
    "rect{stroke:#17181a}"
    ".f:hover rect,.f:focus rect{stroke:#fff}}";

static void put_head(const struct graph *graph, const struct ph_flame_options *options,
                     const struct ph_value_type *type)
{
    struct ph_buf *out = graph->out;
    ph_buf_printf(out,
                  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%.0f\" height=\"%.0f\" "
                  "viewBox=\"0 0 %.0f %.0f\">\n<title>",
                  WIDTH, graph->height, WIDTH, graph->height);
    put_text(out, options->title);
    ph_buf_printf(out,
                  "</title>\n<style>%s</style>\n<rect class=\"bg\" width=\"100%%\" height=\"100%%\"/>\n"
                  "<text class=\"head\" x=\"%.0f\" y=\"24\">",
                  style, MARGIN);
    put_text(out, options->title);
    ph_buf_printf(out, "</text>\n<text class=\"dim\" x=\"%.0f\" y=\"44\">", MARGIN);
    put_summary(graph, type);
    ph_buf_printf(out,
                  "</text>\n<text class=\"dim\" id=\"found\" x=\"%.0f\" y=\"44\" text-anchor=\"end\"></text>\n"
                  "<text class=\"dim\" id=\"detail\" x=\"%.0f\" y=\"58\"></text>\n<g id=\"frames\">\n",
                  WIDTH - MARGIN, MARGIN);
}

int ph_flame_svg_write(struct ph_profile *profile, const struct ph_flame_options *options, struct ph_buf *out)
{
    struct ph_flame_tree tree;
    const struct ph_value_type type = profile->types[options->type];
    int status = ph_flame_tree_build(profile, options->type, &tree);
    if (status < 0)
        return status;
    struct graph graph = {.tree = &tree, .out = out};
    graph.show = ph_top_shower(ph_profile_text(profile, type.unit));
    graph.has_counts =
        tree.nodes[0].sample_count > 0 && strcmp(ph_profile_text(profile, type.type), "samples") != 0;
    graph.scale = tree.nodes[0].value > 0 ? (WIDTH - 2 * MARGIN) / tree.nodes[0].value : 0;
    graph.height = HEAD + FOOT + ROW * (tree.depth + 1);
    put_head(&graph, options, &type);
    put_frames(&graph, 0, MARGIN);
    ph_buf_printf(out, "</g>\n<script><![CDATA[\n%s]]></script>\n</svg>\n", ph_flame_script);
    ph_flame_tree_fini(&tree);
    return ph_buf_status(out);
}
