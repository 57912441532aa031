/*
 * table.h - a table of text for a terminal: columns as wide as their widest cell, two blanks between them.
 *
 * Cells go through ph_visible(). Failure is sticky and told by ph_table_write(). One thread at a time.
 */
#ifndef PH_TOOLS_TABLE_H
#define PH_TOOLS_TABLE_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

#define PH_TABLE_COLUMNS_MAX 8

struct ph_column {
    const char *title;
    bool right; /* right-aligned, as numbers are */
};

struct ph_table {
    const struct ph_column *columns;
    size_t column_count;
    const char **cells; /* row by row */
    size_t cell_count, cell_capacity;
    int failed; /* 0 or -ENOMEM */
    struct ph_arena text;
};

/** ph_table_init() - an empty table with @count columns (at most PH_TABLE_COLUMNS_MAX), borrowed. */
void ph_table_init(struct ph_table *table, const struct ph_column *columns, size_t count);
void ph_table_fini(struct ph_table *table);

/** ph_table_add() - the next cell, copied. A row is full after as many cells as there are columns. */
void ph_table_add(struct ph_table *table, const char *text);

/**
 * ph_table_write() - append titles and rows, a line each, without blanks at line ends.
 * @width: longer lines are cut to that many characters and end in "..."; 0: nothing is cut.
 *
 * 0, or -ENOMEM if a cell or a line was lost.
 */
int ph_table_write(const struct ph_table *table, size_t width, struct ph_buf *out);

#endif
