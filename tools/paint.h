/*
 * paint.h - lines for a terminal: words with styles, cut or wrapped to its width.
 *
 * Text goes through ph_visible(), so that names from elsewhere cannot repaint the terminal; the only escape
 * sequences are those of the styles (ECMA-48 SGR). Failure is sticky and told by ph_buf_status(out). One thread at
 * a time.
 */
#ifndef PH_TOOLS_PAINT_H
#define PH_TOOLS_PAINT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum ph_style {
    PH_STYLE_PLAIN,
    PH_STYLE_STRONG, /* what to look at */
    PH_STYLE_FAINT,  /* what may be skipped */
    PH_STYLE_TITLE,
    PH_STYLE_BAD,
    PH_STYLE_WARN,
    PH_STYLE_GOOD,
};

struct ph_paint {
    struct ph_buf *out;
    size_t width; /* of a line; 0: lines are not cut */
    bool has_colour, has_utf8;
    size_t column; /* characters on the line at hand */
    bool is_full;  /* it was cut: the rest of it is dropped */
};

/** ph_paint_text() - add to the line; what does not fit is cut off, and the line ends in a mark that says so. */
void ph_paint_text(struct ph_paint *paint, enum ph_style style, const char *text);
void ph_paint_printf(struct ph_paint *paint, enum ph_style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** ph_paint_if_it_fits() - add the plain text if the line has room for all of it, else nothing. */
void ph_paint_if_it_fits(struct ph_paint *paint, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** ph_paint_end() - end the line. */
void ph_paint_end(struct ph_paint *paint);

/** ph_paint_skip() - blanks up to @column; none if the line is there already. */
void ph_paint_skip(struct ph_paint *paint, size_t column);

/** ph_paint_room() - how many characters still fit; SIZE_MAX where nothing is cut. */
size_t ph_paint_room(const struct ph_paint *paint);

/** ph_paint_wrapped() - words of @text from where the line is, further lines indented by @indent; ends the last. */
void ph_paint_wrapped(struct ph_paint *paint, enum ph_style style, size_t indent, const char *text);

/** ph_paint_cut() - append to @ret_text at most @room characters of @text, made visible; a mark shows a cut. */
void ph_paint_cut(const struct ph_paint *paint, const char *text, size_t room, struct ph_buf *ret_text);

#endif
