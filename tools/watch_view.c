#include "tools/watch_view.h"

#include "base/clock.h"
#include "base/human.h"
#include "base/visible.h"
#include "tools/diff_text.h"
#include "tools/terminal.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static void append_report(const struct ph_watch_view *view, struct ph_buf *out)
{
    struct ph_diff_view how = ph_diff_options_view(view->options);
    if (view->watcher->report)
        ph_diff_text_write(view->watcher->report, &how, out);
    else
        ph_buf_text(out, "What grows is told from the second profile on.\n");
}

/* "process 4242 (nginx)   profile 12, the next in 7s" */
static void append_head(const struct ph_watch_view *view, struct ph_buf *out)
{
    const struct ph_origin *origin = &view->live->origin;
    ph_target_subject(&view->live->target, out);
    if (origin->program[0]) {
        ph_buf_text(out, " (");
        ph_visible(out, ph_origin_name(origin));
        ph_buf_char(out, ')');
    }
    ph_buf_printf(out, "   profile %" PRIu64, view->watcher->number);
}

static void append_next(const struct ph_watch_view *view, struct ph_buf *out)
{
    int64_t left_seconds = (view->live->pace.due_ns - ph_clock_monotonic_ns() + PH_NS_PER_S / 2) / PH_NS_PER_S;
    if (left_seconds > 0)
        ph_buf_printf(out, ", the next in %" PRId64 "s", left_seconds);
}

void ph_watch_view_print(const struct ph_watch_view *view)
{
    struct ph_buf out = PH_BUF_INIT;
    if (view->watcher->number > 1)
        ph_buf_char(&out, '\n'); /* between blocks */
    append_head(view, &out);
    ph_buf_char(&out, '\n');
    append_report(view, &out);
    fwrite(out.data, 1, out.size_bytes, stdout);
    fflush(stdout);
    ph_buf_fini(&out);
}

/* One line across the screen, in reverse where colours are welcome. @text is plain. */
static void append_bar(const char *text, const struct ph_diff_view *how, struct ph_buf *out)
{
    size_t bytes = how->width ? ph_visible_cut(text, how->width) : strlen(text), width = ph_visible_width(text);
    ph_buf_text(out, how->has_colour ? "\033[7m" : "");
    ph_buf_append(out, text, bytes);
    ph_buf_printf(out, "%*s", how->has_colour && width < how->width ? (int)(how->width - width) : 0, "");
}

static size_t count_lines(const char *text)
{
    size_t count = 0;
    for (const char *end = text; (end = strchr(end, '\n')) != NULL; end++)
        count++;
    return count;
}

static void append_foot(const struct ph_watch_view *view, const char *text, struct ph_buf *out)
{
    size_t line_count = count_lines(text), rows = ph_terminal_height(), page = rows > 3 ? rows - 2 : 1;
    if (view->notice.code) {
        ph_visible(out, view->notice.text);
        ph_buf_text(out, "   ");
    }
    ph_buf_text(out, "q ends");
    if (line_count > page) {
        size_t first = view->first_line < line_count - page ? view->first_line : line_count - page;
        ph_buf_printf(out, ", arrows scroll: lines %zu to %zu of %zu", first + 1, first + page, line_count);
    }
}

void ph_watch_view_draw(struct ph_watch_view *view)
{
    struct ph_diff_view how = ph_diff_options_view(view->options);
    struct ph_buf line = PH_BUF_INIT, head = PH_BUF_INIT, text = PH_BUF_INIT, foot = PH_BUF_INIT;
    append_head(view, &line);
    append_next(view, &line);
    append_bar(line.data ? line.data : "", &how, &head);
    ph_buf_fini(&line);
    append_report(view, &text);
    append_foot(view, text.data ? text.data : "", &line);
    append_bar(line.data ? line.data : "", &how, &foot);
    struct ph_frame frame = {
        .head = head.data ? head.data : "",
        .text = text.data ? text.data : "",
        .foot = foot.data ? foot.data : "",
        .first_line = view->first_line,
    };
    view->first_line = ph_screen_draw(&frame, &view->page_lines);
    ph_buf_fini(&line);
    ph_buf_fini(&head);
    ph_buf_fini(&text);
    ph_buf_fini(&foot);
}

static size_t up(size_t line, size_t count)
{
    return line > count ? line - count : 0;
}

/* Beyond the end is cut when it is drawn. */
void ph_watch_view_scroll(struct ph_watch_view *view, enum ph_key key)
{
    size_t page = view->page_lines > 2 ? view->page_lines - 1 : 1;
    switch (key) {
    case PH_SCREEN_UP:
        view->first_line = up(view->first_line, 1);
        break;
    case PH_SCREEN_DOWN:
        view->first_line++;
        break;
    case PH_SCREEN_PAGE_UP:
        view->first_line = up(view->first_line, page);
        break;
    case PH_SCREEN_PAGE_DOWN:
        view->first_line += page;
        break;
    case PH_SCREEN_TOP:
        view->first_line = 0;
        break;
    case PH_SCREEN_BOTTOM:
        view->first_line = SIZE_MAX / 2;
        break;
    default:
        break;
    }
}
