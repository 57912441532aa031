/* wrap.h - paragraphs in lines of a given width. */
#ifndef PH_TOOLS_WRAP_H
#define PH_TOOLS_WRAP_H

#include <stddef.h>
#include <stdio.h>

/**
 * ph_wrap() - @text in lines of at most @width characters, each indented by @indent blanks.
 * @at: how many characters stand on the line already; if they leave no gap, a new line is begun.
 *
 * A word that is too long stands alone. '\n' in @text ends a line.
 */
void ph_wrap(const char *text, size_t at, size_t indent, size_t width, FILE *out);

#endif
