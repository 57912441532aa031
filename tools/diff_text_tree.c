/* diff_text_tree.c - paths through the call tree, and the frames where growth concentrates. */
#include "base/visible.h"
#include "tools/diff_text_parts.h"
#include "tools/diff_words.h"

#include <math.h>
#include <stdint.h>

#define INDENT          2
#define PATH_FRAMES_MAX 8  /* where lines are not cut: a path is for orientation, the stacks are in json */
#define MORE_WIDTH      12 /* of "(123 more)" */
#define MOST            0.5
#define NAME_LEAST      16 /* of a function, before its place is cut */

void ph_diff_text_function(struct ph_diff_page *page, enum ph_style style, uint32_t frame)
{
    struct ph_buf name = PH_BUF_INIT, place = PH_BUF_INIT, shown = PH_BUF_INIT;
    size_t room = ph_paint_room(&page->paint);
    ph_diff_function(page->report, frame, &name);
    ph_diff_place(page->report, frame, &place);
    size_t place_width = place.data ? ph_visible_width(place.data) + 3 : 0;
    size_t name_room = room >= place_width + NAME_LEAST ? room - place_width : room;
    ph_paint_cut(&page->paint, name.data ? name.data : "", name_room, &shown);
    ph_paint_text(&page->paint, style, shown.data ? shown.data : "");
    if (place.data)
        ph_paint_printf(&page->paint, PH_STYLE_PLAIN, " (%s)", place.data);
    if (ph_buf_status(&name) < 0 || ph_buf_status(&place) < 0 || ph_buf_status(&shown) < 0)
        page->paint.out->failed = name.failed ? name.failed : place.failed ? place.failed : shown.failed;
    ph_buf_fini(&name);
    ph_buf_fini(&place);
    ph_buf_fini(&shown);
}

/* How many characters of a long name are shown in a path: then there is room for its neighbours. */
static size_t path_name_room(const struct ph_paint *paint)
{
    return paint->width == 0 ? SIZE_MAX : paint->width / 3 > NAME_LEAST ? paint->width / 3 : NAME_LEAST;
}

/* The names of a path, as they are shown. */
struct path {
    struct ph_buf names[PATH_FRAMES_MAX];
    uint32_t count;
};

static size_t width_of(const struct ph_buf *name)
{
    return name->data ? ph_visible_width(name->data) : 0;
}

static void make_path(struct ph_diff_page *page, const uint32_t *frames, uint32_t first, uint32_t count, int step,
                      struct path *path)
{
    struct ph_buf name = PH_BUF_INIT;
    for (path->count = 0; path->count < count && path->count < PATH_FRAMES_MAX; path->count++) {
        struct ph_buf *shown = &path->names[path->count];
        name.size_bytes = 0;
        ph_diff_function(page->report, frames[(int64_t)first + (int64_t)step * path->count], &name);
        ph_paint_cut(&page->paint, name.data ? name.data : "", path_name_room(&page->paint), shown);
        if (ph_buf_status(shown) < 0)
            page->paint.out->failed = shown->failed;
    }
    if (ph_buf_status(&name) < 0)
        page->paint.out->failed = name.failed;
    ph_buf_fini(&name);
}

/* How many names fit in @room; behind less than all of them stands how many more there are. */
static uint32_t names_that_fit(const struct path *path, uint32_t count, size_t arrow_width, size_t room)
{
    size_t width = 0;
    uint32_t fitting = 0;
    for (uint32_t i = 0; i < path->count; i++) {
        width += width_of(&path->names[i]) + (i ? arrow_width : 0);
        if (width <= room && (i + 1 == count || room - width >= MORE_WIDTH))
            fitting = i + 1;
    }
    return fitting ? fitting : 1; /* cut at the end of the line */
}

void ph_diff_text_path(struct ph_diff_page *page, const uint32_t *frames, uint32_t first, uint32_t count, int step,
                       const char *arrow)
{
    struct ph_paint *paint = &page->paint;
    struct path path = {0};
    make_path(page, frames, first, count, step, &path);
    uint32_t fitting = names_that_fit(&path, count, ph_visible_width(arrow), ph_paint_room(paint));
    for (uint32_t i = 0; i < fitting; i++) {
        ph_paint_text(paint, PH_STYLE_FAINT, i ? arrow : "");
        ph_paint_text(paint, PH_STYLE_PLAIN, path.names[i].data ? path.names[i].data : "");
    }
    if (fitting < count)
        ph_paint_printf(paint, PH_STYLE_FAINT, " (%u more)", count - fitting);
    for (uint32_t i = 0; i < path.count; i++)
        ph_buf_fini(&path.names[i]);
}

/* ---- where growth concentrates ---- */

/* The tree is read from its roots, or from the allocating functions: what stands before a frame, and below it. */
static const struct {
    const char *growth, *before, *below;
} sides[] = {
    [PH_SIDE_CALLER] = {"below", "called by ", "calls "},
    [PH_SIDE_ALLOCATOR] = {"through", "allocates by ", "for "},
};

static void write_children(struct ph_diff_page *page, const struct ph_growth_inflection *inflection)
{
    struct ph_buf text = PH_BUF_INIT;
    for (uint32_t i = 0; i < inflection->child_count; i++) {
        ph_buf_text(&text, i ? ", " : "");
        ph_diff_function(page->report, inflection->children[i], &text);
        ph_buf_printf(&text, " %s", ph_diff_change(page->report->metric, inflection->child_growth[i]).text);
    }
    if (inflection->fan_out > inflection->child_count)
        ph_buf_printf(&text, ", %u more", inflection->fan_out - inflection->child_count);
    ph_paint_skip(&page->paint, INDENT);
    ph_paint_text(&page->paint, PH_STYLE_FAINT, sides[inflection->side].below);
    ph_paint_text(&page->paint, PH_STYLE_PLAIN, text.data ? text.data : "");
    ph_paint_end(&page->paint);
    if (ph_buf_status(&text) < 0)
        page->paint.out->failed = text.failed;
    ph_buf_fini(&text);
}

/* It ends here: one of the call sites under "What grew". */
static bool is_site(const struct ph_growth_inflection *inflection)
{
    return inflection->fan_out == 0;
}

/* What to call it: of a call site the program's own code, as above, not the allocator it ends in. */
static uint32_t frame_of(const struct ph_growth_report *report, const struct ph_growth_inflection *inflection)
{
    uint32_t last = inflection->frame_count - 1, place = last;
    bool is_leaf_last = inflection->side == PH_SIDE_CALLER && is_site(inflection);
    while (is_leaf_last && place > 0 && ph_diff_is_library(report, inflection->frames[place]))
        place--;
    return inflection->frames[ph_diff_is_start(report, inflection->frames[place]) ? last : place];
}

static const char *relation(const struct ph_growth_inflection *inflection)
{
    return is_site(inflection) ? "in" : sides[inflection->side].growth;
}

/* A call site may be reached in several ways, each of which is one in the tree. */
static double share_of_frame(const struct ph_growth_report *report, const struct ph_growth_inflection *first)
{
    double share = first->share;
    for (const struct ph_growth_inflection *next = first + 1; next < first + report->inflection_count; next++)
        if (is_site(first) && is_site(next) && next->frame_count > 0 &&
            frame_of(report, next) == frame_of(report, first))
            share += next->share;
    return share;
}

void ph_diff_text_focus(const struct ph_growth_report *report, struct ph_buf *text)
{
    const struct ph_growth_inflection *first = report->inflections;
    double share = report->inflection_count && first->frame_count ? share_of_frame(report, first) : 0;
    if (!(share >= MOST) || !ph_diff_text_has_growth(report))
        return;
    ph_buf_printf(text, " %s of all growth is %s ", ph_diff_percent(fmin(share, 1), 1).text, relation(first));
    ph_diff_function(report, frame_of(report, first), text);
    ph_buf_char(text, '.');
}

static void write_inflection(struct ph_diff_page *page, const struct ph_growth_inflection *inflection)
{
    const struct ph_growth_report *report = page->report;
    struct ph_paint *paint = &page->paint;
    uint32_t last = inflection->frame_count - 1, root = 0;
    const char *process =
        inflection->side == PH_SIDE_CALLER && last > 0 ? ph_diff_process(report, inflection->frames[0]) : NULL;
    ph_paint_printf(paint, PH_STYLE_STRONG, "%s", ph_diff_change(report->metric, inflection->growth).text);
    ph_paint_printf(paint, PH_STYLE_PLAIN, ", %s of all growth, %s ", ph_diff_percent(inflection->share, 1).text,
                    relation(inflection));
    ph_diff_text_function(page, PH_STYLE_STRONG, frame_of(report, inflection));
    if (process)
        ph_paint_printf(paint, PH_STYLE_PLAIN, " in %s", process);
    ph_paint_end(paint);
    root += process != NULL;
    while (root < last && ph_diff_is_start(report, inflection->frames[root]))
        root++;
    if (root < last && !is_site(inflection)) {
        ph_paint_skip(paint, INDENT);
        ph_paint_text(paint, PH_STYLE_FAINT, sides[inflection->side].before);
        ph_diff_text_path(page, inflection->frames, last - 1, last - root, -1, ph_diff_text_arrow(page));
        ph_paint_end(paint);
    }
    if (inflection->child_count > 0)
        write_children(page, inflection);
}

/* Call sites are under "What grew" already: they stand here only if nothing else does. */
void ph_diff_text_inflections(struct ph_diff_page *page)
{
    const struct ph_growth_report *report = page->report;
    size_t shown_count = 0, branch_count = 0;
    if (!ph_diff_text_has_growth(report))
        return;
    for (size_t i = 0; i < report->inflection_count; i++)
        branch_count += !is_site(&report->inflections[i]);
    for (size_t i = 0; i < report->inflection_count && shown_count < page->top_count; i++) {
        const struct ph_growth_inflection *inflection = &report->inflections[i];
        if (inflection->frame_count == 0 || (branch_count > 0 && is_site(inflection)))
            continue;
        if (shown_count++ == 0)
            ph_diff_text_heading(page, "Where it concentrates");
        write_inflection(page, inflection);
    }
}
