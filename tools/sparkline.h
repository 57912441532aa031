/* sparkline.h - a series as a word. Source of the idea: Edward Tufte, Beautiful Evidence (2006). */
#ifndef PH_TOOLS_SPARKLINE_H
#define PH_TOOLS_SPARKLINE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * ph_sparkline() - append one character for each value, from the smallest to the largest; NaN is a blank.
 * @cell_max: at most so many characters (not 0): of more values, each character shows the mean of several.
 * @has_utf8: the eight blocks from U+2581; else as many signs of ASCII that darken in this order.
 */
void ph_sparkline(const double *values, size_t count, size_t cell_max, bool has_utf8, struct ph_buf *out);

#endif
