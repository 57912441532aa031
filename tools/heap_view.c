#include "tools/heap_view.h"

#include "base/clock.h"
#include "base/human.h"
#include "base/visible.h"
#include "model/demangle.h"
#include "model/heap_types.h"
#include "model/scale.h"
#include "model/top.h"
#include "tools/table.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FEW_SAMPLES 20 /* below, the relative standard error 1/sqrt(n) is over 22 % */

static const struct ph_column columns[] = {
    {"flat", true}, {"flat%", true}, {"cum", true}, {"cum%", true}, {"function", false},
};

double ph_heap_sampled_count(const struct ph_profile *profile, uint32_t type)
{
    if (!ph_heap_types_has(profile) || profile->period <= 0)
        return -1;
    bool cumulative = type == PH_HEAP_ALLOC_OBJECTS || type == PH_HEAP_ALLOC_SPACE;
    uint32_t objects = cumulative ? PH_HEAP_ALLOC_OBJECTS : PH_HEAP_INUSE_OBJECTS;
    uint32_t space = cumulative ? PH_HEAP_ALLOC_SPACE : PH_HEAP_INUSE_SPACE;
    double sampled = 0;
    for (uint32_t i = 0; i < profile->sample_count; i++) {
        const int64_t *values = ph_profile_values(profile, i);
        /* A difference of two profiles has negative values; its samples are those of both. */
        double count = fabs((double)values[objects]), bytes = fabs((double)values[space]);
        sampled += count / ph_unbias(count, bytes, (double)profile->period);
    }
    return sampled;
}

static uint32_t stack_count(const struct ph_profile *profile, uint32_t type)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < profile->sample_count; i++)
        count += ph_profile_values(profile, i)[type] != 0;
    return count;
}

struct ph_human ph_heap_value_text(const struct ph_heap_view *view, int64_t value)
{
    const char *unit = ph_profile_text(view->profile, view->profile->types[view->type].unit);
    return strcmp(unit, "bytes") == 0 ? ph_human_bytes(value) : ph_human_count(value);
}

/* The file of the first mapping is the program, but a program may be known by another name: Debian's redis-server is a link
 * to redis-check-rdb. */
static const char *program_name(const struct ph_heap_view *view)
{
    const struct ph_profile *profile = view->profile;
    if (view->program)
        return view->program;
    if (profile->mapping_count == 0)
        return "";
    const char *file = ph_profile_text(profile, profile->mappings[0].file);
    const char *slash = strrchr(file, '/');
    return slash ? slash + 1 : file;
}

static void write_subject(const struct ph_heap_view *view, int64_t total, struct ph_buf *out)
{
    const struct ph_profile *profile = view->profile;
    ph_buf_text(out, view->subject);
    if (program_name(view)[0]) {
        ph_buf_text(out, " (");
        ph_visible(out, program_name(view));
        ph_buf_char(out, ')');
    }
    ph_buf_text(out, ": ");
    ph_visible(out, ph_profile_text(profile, profile->types[view->type].type));
    /* Of heap profiles, only a difference has a duration. */
    ph_buf_printf(out, "%s %s", profile->duration_ns > 0 ? " changed by" : "",
                  ph_heap_value_text(view, total).text);
    if (profile->duration_ns > 0)
        ph_buf_printf(out, " in %s", ph_human_duration((double)profile->duration_ns / (double)PH_NS_PER_S).text);
    ph_buf_char(out, '\n');
}

static void write_time(const struct ph_profile *profile, struct ph_buf *out)
{
    char text[32];
    struct tm local;
    time_t seconds = (time_t)(profile->time_ns / PH_NS_PER_S);
    if (profile->time_ns > 0 && localtime_r(&seconds, &local) &&
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local))
        ph_buf_printf(out, "taken %s; ", text);
}

static void write_count(struct ph_buf *out, int64_t count, const char *noun)
{
    ph_buf_printf(out, "%s %s%s", ph_human_count(count).text, noun, count == 1 ? "" : "s");
}

static void write_sampling(const struct ph_heap_view *view, struct ph_buf *out)
{
    const struct ph_profile *profile = view->profile;
    double sampled = ph_heap_sampled_count(profile, view->type);
    write_time(profile, out);
    if (sampled < 0) {
        ph_buf_text(out, "samples of unknown rate");
    } else if (profile->period == 1) {
        ph_buf_text(out, "every allocation counted");
    } else {
        ph_buf_printf(out, "one sample every %s: about ", ph_human_size((uint64_t)profile->period).text);
        write_count(out, llround(sampled), "sample");
    }
    ph_buf_text(out, " in ");
    write_count(out, stack_count(profile, view->type), "stack");
    ph_buf_char(out, '\n');
    if (sampled > 0 && sampled < FEW_SAMPLES && profile->period > 1)
        ph_buf_printf(out, "Few samples: figures may be off by %.0f%%; a smaller PORTHOLE_HEAP_SAMPLE sees more\n",
                      100 / sqrt(fmax(sampled, 1)));
}

/* Of several processes: how many. Of one that was forked: how much of it is its parent's, too. */
static void write_processes(const struct ph_heap_view *view, const struct ph_heap_family *family,
                            struct ph_buf *out)
{
    const struct ph_profile *profile = view->profile;
    if (family->count > 1) {
        ph_buf_printf(out, "%s processes: memory that they inherited over fork() counts once%s\n",
                      ph_human_count((int64_t)family->count).text,
                      view->by_pid ? "" : "; --by pid tells them apart");
    } else if (family->inherited) {
        ph_buf_printf(out, "%s of it inherited over fork(), and counted in its parent, too\n",
                      ph_heap_value_text(view, family->inherited).text);
    }
    for (uint32_t i = 0; i < profile->comment_count; i++) {
        const char *comment = ph_profile_text(profile, profile->comments[i]);
        if (!ph_heap_process_is_absent(comment))
            continue;
        ph_buf_text(out, "Missing: ");
        ph_visible(out, comment);
        ph_buf_char(out, '\n');
    }
}

static int add_row(struct ph_table *table, const struct ph_heap_view *view, const struct ph_top *top, size_t i)
{
    const struct ph_top_row *row = &top->rows[i];
    char *name = ph_demangle(row->name);
    if (!name)
        return -ENOMEM;
    ph_table_add(table, ph_heap_value_text(view, row->flat).text);
    ph_table_add(table, ph_human_percent(row->flat, top->total).text);
    ph_table_add(table, ph_heap_value_text(view, row->cumulative).text);
    ph_table_add(table, ph_human_percent(row->cumulative, top->total).text);
    ph_table_add(table, name);
    free(name);
    return 0;
}

static int write_table(const struct ph_heap_view *view, const struct ph_top *top, struct ph_buf *out)
{
    size_t shown = top->row_count < view->row_count ? top->row_count : view->row_count;
    struct ph_table table;
    int failed = 0;
    ph_table_init(&table, columns, sizeof(columns) / sizeof(columns[0]));
    ph_buf_printf(out, "Showing %s of ", ph_human_count((int64_t)shown).text);
    write_count(out, (int64_t)top->row_count, "function");
    ph_buf_text(out, "\n\n");
    for (size_t i = 0; i < shown && failed == 0; i++)
        failed = add_row(&table, view, top, i);
    if (failed == 0)
        failed = ph_table_write(&table, view->width, out);
    ph_table_fini(&table);
    return failed;
}

/* Rows of zero are functions that held memory once: noise in a table of what is held now. */
static void drop_zero_rows(struct ph_top *top)
{
    size_t kept = 0;
    for (size_t i = 0; i < top->row_count; i++)
        if (top->rows[i].flat != 0 || top->rows[i].cumulative != 0)
            top->rows[kept++] = top->rows[i];
    top->row_count = kept;
}

static int write_functions(const struct ph_heap_view *view, struct ph_buf *out)
{
    struct ph_top top;
    int failed = ph_top_build(view->profile, view->type, &top);
    if (failed)
        return failed;
    drop_zero_rows(&top);
    if (top.row_count > 0)
        failed = write_table(view, &top, out);
    else
        ph_buf_text(out, "No samples: nothing that was sampled is left to show\n");
    ph_top_fini(&top);
    return failed;
}

int ph_heap_view_write(const struct ph_heap_view *view, struct ph_buf *out)
{
    struct ph_heap_family family;
    int failed = ph_heap_family_init(view->profile, view->type, &family);
    if (failed)
        return failed;
    write_subject(view, ph_profile_total(view->profile, view->type), out);
    write_processes(view, &family, out);
    write_sampling(view, out);
    if (!view->by_pid)
        failed = write_functions(view, out);
    else
        failed = family.count ? ph_heap_pids_write(view, &family, out) : -ENODATA;
    ph_heap_family_fini(&family);
    return failed ? failed : ph_buf_status(out);
}
