/* thread_pids.c - what the threads of each process do; part of thread_view_parts.h. */
#include "base/human.h"
#include "model/demangle.h"
#include "tools/table.h"
#include "tools/thread_view_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct ph_column columns[] = {
    {"pid", true}, {"threads", true},      {"states", false},
    {"CPU", true}, {"longest wait", true}, {"most of them in", false},
};

static const char *leaf_of(const struct ph_thread_row *row)
{
    return row->frame_count ? row->frames[0].function : "";
}

static int by_leaf(const void *a, const void *b)
{
    return strcmp(leaf_of(*(const struct ph_thread_row *const *)a),
                  leaf_of(*(const struct ph_thread_row *const *)b));
}

/* The function that most are in; sorts @rows. */
static const char *commonest(const struct ph_thread_row **rows, size_t count)
{
    const char *found = "";
    size_t most = 0, run = 0;
    qsort(rows, count, sizeof(*rows), by_leaf);
    for (size_t i = 0; i < count; i++) {
        run = i && strcmp(leaf_of(rows[i]), leaf_of(rows[i - 1])) == 0 ? run + 1 : 1;
        if (run > most && leaf_of(rows[i])[0]) {
            most = run;
            found = leaf_of(rows[i]);
        }
    }
    return found;
}

static void add_figures(struct ph_table *table, const struct ph_thread_row *const *rows, size_t count)
{
    int64_t longest = -1, cpu_ns = ph_thread_cpu_sum(rows, count);
    for (size_t i = 0; i < count; i++)
        longest = rows[i]->wait.since_ns > longest ? rows[i]->wait.since_ns : longest;
    ph_table_add(table, cpu_ns < 0 ? "?" : ph_human_time(cpu_ns).text);
    ph_table_add(table, longest < 0 ? "-" : ph_human_time(longest).text);
}

static int add_process(struct ph_table *table, const struct ph_thread_row **rows, size_t count)
{
    struct ph_buf states = PH_BUF_INIT;
    char pid[24];
    snprintf(pid, sizeof(pid), "%" PRId64, rows[0]->pid);
    ph_table_add(table, rows[0]->pid ? pid : "?");
    ph_table_add(table, ph_human_count((int64_t)count).text);
    ph_thread_states_words(rows, count, &states);
    ph_table_add(table, states.data ? states.data : "");
    ph_buf_fini(&states);
    add_figures(table, rows, count);
    char *name = ph_demangle(commonest(rows, count));
    if (name)
        ph_table_add(table, name);
    free(name);
    return name ? 0 : -ENOMEM;
}

/* Each thread by itself is a group of one, by pid. */
int ph_thread_pids_write(const struct ph_thread_view *view, struct ph_buf *out)
{
    struct ph_thread_groups groups;
    struct ph_table table;
    int failed = ph_thread_groups_make(view->answer, false, &groups);
    if (failed)
        return failed;
    ph_table_init(&table, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0, next; i < groups.count && failed == 0; i = next) {
        for (next = i + 1; next < groups.count && groups.members[next]->pid == groups.members[i]->pid;)
            next++;
        failed = add_process(&table, &groups.members[i], next - i);
    }
    ph_buf_char(out, '\n');
    if (failed == 0)
        failed = ph_table_write(&table, view->width, out);
    ph_table_fini(&table);
    ph_thread_groups_fini(&groups);
    return failed;
}
