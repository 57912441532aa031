#include "tools/top_table.h"

#include "model/demangle.h"
#include "tools/heading.h"
#include "tools/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const nouns[] = {
    [PH_TOP_FUNCTION] = "function", [PH_TOP_LINE] = "line", [PH_TOP_MODULE] = "module"};

#define COLUMN_COUNT 5

static int add_row(struct ph_table *table, const struct ph_top_table *view, const struct ph_top *top, size_t i)
{
    const struct ph_top_row *row = &top->rows[i];
    char *name = ph_demangle(row->name);
    if (!name)
        return -ENOMEM;
    ph_table_add(table, view->show(row->flat).text);
    ph_table_add(table, ph_human_percent(row->flat, top->total).text);
    ph_table_add(table, view->show(row->cumulative).text);
    ph_table_add(table, ph_human_percent(row->cumulative, top->total).text);
    ph_table_add(table, name);
    free(name);
    return 0;
}

static int write_table(const struct ph_top_table *view, const struct ph_top *top, struct ph_buf *out)
{
    const struct ph_column columns[COLUMN_COUNT] = {
        {"flat", true}, {"flat%", true}, {"cum", true}, {"cum%", true}, {nouns[view->by], false},
    };
    size_t shown = top->row_count < view->row_count ? top->row_count : view->row_count;
    struct ph_table table;
    int failed = 0;
    ph_table_init(&table, columns, COLUMN_COUNT);
    ph_buf_printf(out, "Showing %s of ", ph_human_count((int64_t)shown).text);
    ph_heading_count(out, (int64_t)top->row_count, nouns[view->by]);
    ph_buf_text(out, "\n\n");
    for (size_t i = 0; i < shown && failed == 0; i++)
        failed = add_row(&table, view, top, i);
    if (failed == 0)
        failed = ph_table_write(&table, view->width, out);
    ph_table_fini(&table);
    return failed;
}

/* Functions that held memory once: noise in a table of what is held now. */
static void drop_zero_rows(struct ph_top *top)
{
    size_t kept = 0;
    for (size_t i = 0; i < top->row_count; i++)
        if (top->rows[i].flat != 0 || top->rows[i].cumulative != 0)
            top->rows[kept++] = top->rows[i];
    top->row_count = kept;
}

int ph_top_table_write(const struct ph_top_table *table, const struct ph_profile *profile, uint32_t type,
                       struct ph_buf *out)
{
    struct ph_top top;
    int failed = ph_top_build_by(profile, type, table->by, &top);
    if (failed)
        return failed;
    drop_zero_rows(&top);
    if (top.row_count > 0)
        failed = write_table(table, &top, out);
    else
        ph_buf_printf(out, "No samples: %s\n", table->nothing);
    ph_top_fini(&top);
    return failed;
}

struct ph_human (*ph_top_shower(const char *unit))(int64_t value)
{
    if (strcmp(unit, "bytes") == 0)
        return ph_human_bytes;
    return strcmp(unit, "nanoseconds") == 0 ? ph_human_time : ph_human_count;
}

char *ph_top_largest(const struct ph_profile *profile, uint32_t type)
{
    struct ph_top top;
    if (ph_top_build(profile, type, &top) < 0)
        return NULL;
    char *name = top.row_count && top.rows[0].flat ? ph_demangle(top.rows[0].name) : strdup("");
    ph_top_fini(&top);
    return name;
}
