/*
 * visible.h - text from elsewhere (profiles, other processes, servers) made safe to show on a terminal.
 *
 * A function name may hold an escape sequence; shown as it is it could retitle or repaint the terminal.
 * Widths are counted in characters (code points): wide East Asian characters count one.
 */
#ifndef PH_BASE_VISIBLE_H
#define PH_BASE_VISIBLE_H

#include "base/buf.h"

#include <stddef.h>

/** ph_visible() - append @text with control characters and bytes that are no UTF-8 written as \x1b. */
void ph_visible(struct ph_buf *out, const char *text);

/** ph_visible_width() - how many characters @text has; it must have gone through ph_visible(). */
size_t ph_visible_width(const char *text);

/** ph_visible_cut() - how many bytes of @text make up its first @width characters. */
size_t ph_visible_cut(const char *text, size_t width);

#endif
