#include "tools/table.h"

#include "base/visible.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GAP      "  "
#define CUT_MARK "..."

void ph_table_init(struct ph_table *table, const struct ph_column *columns, size_t count)
{
    *table = (struct ph_table){.columns = columns, .column_count = count, .text = PH_ARENA_INIT};
}

void ph_table_fini(struct ph_table *table)
{
    ph_arena_fini(&table->text);
    free(table->cells);
    ph_table_init(table, table->columns, table->column_count);
}

static bool make_room(struct ph_table *table)
{
    if (table->cell_count < table->cell_capacity)
        return true;
    size_t capacity = table->cell_capacity ? table->cell_capacity * 2 : 64;
    const char **cells = reallocarray(table->cells, capacity, sizeof(*cells));
    if (!cells)
        return false;
    table->cells = cells;
    table->cell_capacity = capacity;
    return true;
}

void ph_table_add(struct ph_table *table, const char *text)
{
    struct ph_buf shown = PH_BUF_INIT;
    ph_visible(&shown, text);
    const char *copy = NULL;
    if (ph_buf_status(&shown) == 0 && make_room(table))
        copy = ph_arena_copy(&table->text, shown.data ? shown.data : "", shown.size_bytes);
    ph_buf_fini(&shown);
    if (copy)
        table->cells[table->cell_count++] = copy;
    else
        table->failed = -ENOMEM;
}

static void measure(const struct ph_table *table, size_t *widths)
{
    for (size_t i = 0; i < table->column_count; i++)
        widths[i] = ph_visible_width(table->columns[i].title);
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t width = ph_visible_width(table->cells[i]);
        if (width > widths[i % table->column_count])
            widths[i % table->column_count] = width;
    }
}

static void pad(struct ph_buf *line, size_t count)
{
    while (count-- > 0)
        ph_buf_char(line, ' ');
}

static void add_cell(struct ph_buf *line, const char *cell, size_t width, bool right)
{
    size_t blank_count = width - ph_visible_width(cell);
    if (right)
        pad(line, blank_count);
    ph_buf_text(line, cell);
    if (!right)
        pad(line, blank_count);
}

static void end_line(struct ph_buf *line, size_t width, struct ph_buf *out)
{
    while (line->size_bytes > 0 && line->data[line->size_bytes - 1] == ' ')
        line->data[--line->size_bytes] = '\0';
    const char *text = line->data ? line->data : "";
    if (width > strlen(CUT_MARK) && ph_visible_width(text) > width) {
        ph_buf_append(out, text, ph_visible_cut(text, width - strlen(CUT_MARK)));
        ph_buf_text(out, CUT_MARK);
    } else {
        ph_buf_append(out, text, line->size_bytes);
    }
    ph_buf_char(out, '\n');
    line->size_bytes = 0;
}

int ph_table_write(const struct ph_table *table, size_t width, struct ph_buf *out)
{
    size_t widths[PH_TABLE_COLUMNS_MAX];
    struct ph_buf line = PH_BUF_INIT;
    measure(table, widths);
    for (size_t i = 0; i < table->column_count; i++) {
        ph_buf_text(&line, i ? GAP : "");
        add_cell(&line, table->columns[i].title, widths[i], table->columns[i].right);
    }
    end_line(&line, width, out);
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t column = i % table->column_count;
        ph_buf_text(&line, column ? GAP : "");
        add_cell(&line, table->cells[i], widths[column], table->columns[column].right);
        if (column + 1 == table->column_count)
            end_line(&line, width, out);
    }
    int failed = table->failed ? table->failed : ph_buf_status(&line);
    ph_buf_fini(&line);
    return failed ? failed : ph_buf_status(out);
}
