/* heap_pids.c - which process of a family holds the memory, and where it was allocated; part of heap_view.h. */
#include "tools/heap_view.h"
#include "tools/table.h"
#include "tools/top_table.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const struct ph_column columns[] = {
    {"pid", true},       {"total", true},   {"total%", true},         {"own", true},
    {"inherited", true}, {"samples", true}, {"most of it in", false},
};

static void add_sampled(struct ph_table *table, const struct ph_profile *part, uint32_t type)
{
    double sampled = ph_heap_sampled_count(part, type);
    ph_table_add(table, sampled < 0 ? "?" : ph_human_count(llround(sampled)).text);
}

static int add_row(struct ph_table *table, const struct ph_heap_view *view, const struct ph_heap_process *process,
                   int64_t total)
{
    struct ph_heap_part part;
    char pid[24];
    int failed = ph_heap_part_init(view->profile, process->pid, &part);
    if (failed)
        return failed;
    snprintf(pid, sizeof(pid), "%" PRId64, process->pid);
    ph_table_add(table, pid);
    ph_table_add(table, ph_heap_value_text(view, process->total).text);
    ph_table_add(table, ph_human_percent(process->total, total).text);
    ph_table_add(table, ph_heap_value_text(view, process->total - process->inherited).text);
    ph_table_add(table, ph_heap_value_text(view, process->inherited).text);
    add_sampled(table, &part.view, view->type);
    /* Which one tells leaks of the code from those of one request. */
    char *largest = ph_top_largest(&part.view, view->type);
    if (largest)
        ph_table_add(table, largest);
    free(largest);
    ph_heap_part_fini(&part);
    return largest ? 0 : -ENOMEM;
}

int ph_heap_pids_write(const struct ph_heap_view *view, const struct ph_heap_family *family, struct ph_buf *out)
{
    size_t shown = family->count < view->row_count ? family->count : view->row_count;
    int64_t total = ph_profile_total(view->profile, view->type);
    struct ph_table table;
    int failed = 0;
    ph_table_init(&table, columns, sizeof(columns) / sizeof(columns[0]));
    ph_buf_printf(out, "Showing %s of %s process%s\n\n", ph_human_count((int64_t)shown).text,
                  ph_human_count((int64_t)family->count).text, family->count == 1 ? "" : "es");
    for (size_t i = 0; i < shown && failed == 0; i++)
        failed = add_row(&table, view, &family->processes[i], total);
    if (failed == 0)
        failed = ph_table_write(&table, view->width, out);
    ph_table_fini(&table);
    return failed;
}
