#include "tools/paint.h"

#include "base/visible.h"

#include <stdint.h>
#include <string.h>

/* Bright black instead of "faint", which many terminals do not know. */
static const char *const codes[] = {
    [PH_STYLE_PLAIN] = "",   [PH_STYLE_STRONG] = "1", [PH_STYLE_FAINT] = "90", [PH_STYLE_TITLE] = "1;4",
    [PH_STYLE_BAD] = "1;31", [PH_STYLE_WARN] = "33",  [PH_STYLE_GOOD] = "32",
};

static const char *cut_mark(const struct ph_paint *paint)
{
    return paint->has_utf8 ? "…" : "...";
}

size_t ph_paint_room(const struct ph_paint *paint)
{
    if (paint->width == 0)
        return SIZE_MAX;
    return paint->is_full || paint->column >= paint->width ? 0 : paint->width - paint->column;
}

static void cut_visible(const struct ph_paint *paint, const char *text, size_t room, struct ph_buf *ret_text)
{
    const char *mark = cut_mark(paint);
    size_t mark_width = ph_visible_width(mark);
    if (ph_visible_width(text) <= room) {
        ph_buf_text(ret_text, text);
    } else if (room >= mark_width) {
        ph_buf_append(ret_text, text, ph_visible_cut(text, room - mark_width));
        ph_buf_text(ret_text, mark);
    }
}

void ph_paint_cut(const struct ph_paint *paint, const char *text, size_t room, struct ph_buf *ret_text)
{
    struct ph_buf shown = PH_BUF_INIT;
    ph_visible(&shown, text);
    cut_visible(paint, shown.data ? shown.data : "", room, ret_text);
    if (ph_buf_status(&shown) < 0)
        ret_text->failed = shown.failed;
    ph_buf_fini(&shown);
}

static void add_styled(struct ph_paint *paint, enum ph_style style, const char *text)
{
    bool is_styled = paint->has_colour && codes[style][0];
    if (is_styled)
        ph_buf_printf(paint->out, "\x1b[%sm", codes[style]);
    ph_buf_text(paint->out, text);
    if (is_styled)
        ph_buf_text(paint->out, "\x1b[0m");
}

void ph_paint_text(struct ph_paint *paint, enum ph_style style, const char *text)
{
    struct ph_buf shown = PH_BUF_INIT, fitting = PH_BUF_INIT;
    if (paint->is_full || !*text)
        return;
    ph_visible(&shown, text);
    size_t width = ph_visible_width(shown.data ? shown.data : "");
    paint->is_full = width > ph_paint_room(paint);
    cut_visible(paint, shown.data ? shown.data : "", paint->width ? paint->width - paint->column : SIZE_MAX,
                &fitting);
    add_styled(paint, style, fitting.data ? fitting.data : "");
    paint->column += ph_visible_width(fitting.data ? fitting.data : "");
    if (ph_buf_status(&shown) < 0 || ph_buf_status(&fitting) < 0)
        paint->out->failed = shown.failed ? shown.failed : fitting.failed;
    ph_buf_fini(&shown);
    ph_buf_fini(&fitting);
}

void ph_paint_printf(struct ph_paint *paint, enum ph_style style, const char *format, ...)
{
    struct ph_buf text = PH_BUF_INIT;
    va_list args;
    va_start(args, format);
    ph_buf_vprintf(&text, format, args);
    va_end(args);
    ph_paint_text(paint, style, text.data ? text.data : "");
    if (ph_buf_status(&text) < 0)
        paint->out->failed = text.failed;
    ph_buf_fini(&text);
}

void ph_paint_if_it_fits(struct ph_paint *paint, const char *format, ...)
{
    struct ph_buf text = PH_BUF_INIT, shown = PH_BUF_INIT;
    va_list args;
    va_start(args, format);
    ph_buf_vprintf(&text, format, args);
    va_end(args);
    ph_visible(&shown, text.data ? text.data : "");
    if (shown.data && ph_visible_width(shown.data) <= ph_paint_room(paint))
        ph_paint_text(paint, PH_STYLE_PLAIN, text.data);
    if (ph_buf_status(&text) < 0 || ph_buf_status(&shown) < 0)
        paint->out->failed = text.failed ? text.failed : shown.failed;
    ph_buf_fini(&text);
    ph_buf_fini(&shown);
}

void ph_paint_end(struct ph_paint *paint)
{
    ph_buf_char(paint->out, '\n');
    paint->column = 0;
    paint->is_full = false;
}

void ph_paint_skip(struct ph_paint *paint, size_t column)
{
    if (column > paint->column)
        ph_paint_printf(paint, PH_STYLE_PLAIN, "%*s", (int)(column - paint->column), "");
}

/* How many bytes of @text, which begins with a word, make up the words that fit in @room; one word at least. */
static size_t fitting_words(const char *text, size_t room)
{
    size_t fitting = strcspn(text, " "), end = fitting;
    while (text[end]) {
        end += strspn(text + end, " ");
        end += strcspn(text + end, " ");
        size_t width = 0;
        for (size_t i = 0; i < end; i++)
            width += ((unsigned char)text[i] & 0xc0) != 0x80; /* as ph_visible_width() */
        if (width > room)
            break;
        fitting = end;
    }
    return fitting;
}

void ph_paint_wrapped(struct ph_paint *paint, enum ph_style style, size_t indent, const char *text)
{
    struct ph_buf shown = PH_BUF_INIT, line = PH_BUF_INIT;
    ph_visible(&shown, text);
    const char *next = shown.data ? shown.data : "";
    for (next += strspn(next, " "); *next; next += strspn(next, " ")) {
        size_t size_bytes = fitting_words(next, ph_paint_room(paint));
        line.size_bytes = 0;
        ph_buf_append(&line, next, size_bytes);
        next += size_bytes;
        ph_paint_text(paint, style, line.data ? line.data : "");
        if (next[strspn(next, " ")]) {
            ph_paint_end(paint);
            ph_paint_skip(paint, indent);
        }
    }
    ph_paint_end(paint);
    if (ph_buf_status(&shown) < 0 || ph_buf_status(&line) < 0)
        paint->out->failed = shown.failed ? shown.failed : line.failed;
    ph_buf_fini(&shown);
    ph_buf_fini(&line);
}
