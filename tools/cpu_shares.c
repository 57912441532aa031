/* cpu_shares.c - which thread or process used the time, and where; part of cpu_view.h. */
#include "base/human.h"
#include "base/index.h"
#include "base/scan.h"
#include "model/grow.h"
#include "model/heap_types.h"
#include "model/intern.h"
#include "model/labels.h"
#include "tools/cpu_view.h"
#include "tools/heading.h"
#include "tools/table.h"
#include "tools/top_table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct share {
    int64_t id;       /* of the thread or process */
    const char *name; /* of the thread */
    int64_t value, sample_count;
    uint32_t number; /* in order of appearance */
};

struct shares {
    const struct ph_cpu_view *view;
    struct share *rows;
    uint32_t row_count;
    struct ph_index index;
    uint32_t *sample_rows; /* by sample: the number of its row, or PH_INDEX_NONE */
    const char *key;       /* the label with the id */
    int64_t only_id;       /* of samples without that label; 0 for none */
};

static int64_t id_of(const struct shares *shares, const struct ph_sample *sample)
{
    const struct ph_profile *profile = shares->view->profile;
    for (uint32_t i = 0; i < sample->label_count; i++) {
        const struct ph_label *label = &profile->labels[sample->first_label + i];
        uint64_t id;
        if (strcmp(ph_profile_text(profile, label->key), shares->key) != 0)
            continue;
        if (label->text == 0)
            return label->number;
        return ph_parse_count(ph_profile_text(profile, label->text), INT64_MAX, &id) == 0 ? (int64_t)id : 0;
    }
    return shares->only_id;
}

static bool has_id(const void *owner, uint32_t number, const void *key)
{
    return ((const struct shares *)owner)->rows[number].id == *(const int64_t *)key;
}

/* The row of @id, made if it is new; PH_INDEX_NONE if memory is out. */
static uint32_t find_row(struct shares *shares, int64_t id, const char *name)
{
    uint64_t hash = ph_hash_u64((uint64_t)id);
    uint32_t row = ph_index_find(&shares->index, hash, has_id, shares, &id);
    if (row != PH_INDEX_NONE)
        return row;
    if (ph_grow(&shares->rows, sizeof(*shares->rows), shares->row_count, 1) < 0 ||
        ph_index_add(&shares->index, hash, shares->row_count) < 0)
        return PH_INDEX_NONE;
    shares->rows[shares->row_count] = (struct share){.id = id, .name = name, .number = shares->row_count};
    return shares->row_count++;
}

static int count_samples(struct shares *shares)
{
    const struct ph_profile *profile = shares->view->profile;
    int count_type = ph_profile_find_type(profile, "samples");
    for (uint32_t i = 0; i < profile->sample_count; i++) {
        const struct ph_sample *sample = &profile->samples[i];
        const int64_t *values = ph_profile_values(profile, i);
        int64_t id = id_of(shares, sample);
        shares->sample_rows[i] = PH_INDEX_NONE;
        if (id == 0)
            continue;
        uint32_t row = find_row(shares, id, ph_profile_label_text(profile, sample, PH_LABEL_THREAD));
        if (row == PH_INDEX_NONE)
            return -ENOMEM;
        shares->sample_rows[i] = row;
        shares->rows[row].value = ph_add_saturating(shares->rows[row].value, values[shares->view->type]);
        shares->rows[row].sample_count =
            ph_add_saturating(shares->rows[row].sample_count, count_type < 0 ? 0 : values[count_type]);
    }
    return 0;
}

/* Comments name all processes, also those that used nothing. One alone needs no label. */
static int add_named(struct shares *shares)
{
    const struct ph_profile *profile = shares->view->profile;
    int64_t pid, start_ns;
    uint32_t named_count = 0;
    for (uint32_t i = 0; i < profile->comment_count; i++) {
        if (!ph_heap_process_parse(ph_profile_text(profile, profile->comments[i]), &pid, &start_ns))
            continue;
        if (find_row(shares, pid, "") == PH_INDEX_NONE)
            return -ENOMEM;
        shares->only_id = named_count++ ? 0 : pid;
    }
    return 0;
}

static int by_value(const void *a, const void *b)
{
    const struct share *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

/* Where most of its time went: the profile of this row alone is @part, whose arrays have room for all samples. */
static char *largest_of(const struct shares *shares, const struct share *share, struct ph_profile *part)
{
    const struct ph_profile *profile = shares->view->profile;
    part->sample_count = 0;
    for (uint32_t i = 0; i < profile->sample_count; i++) {
        if (shares->sample_rows[i] != share->number)
            continue;
        part->samples[part->sample_count] = profile->samples[i];
        memcpy(ph_profile_values(part, part->sample_count++), ph_profile_values(profile, i),
               profile->type_count * sizeof(*part->values));
    }
    return ph_top_largest(part, shares->view->type);
}

static int add_row(struct ph_table *table, const struct shares *shares, const struct share *share,
                   struct ph_profile *part)
{
    const struct ph_cpu_view *view = shares->view;
    const char *unit = ph_profile_text(view->profile, view->profile->types[view->type].unit);
    char id[24], *largest = largest_of(shares, share, part);
    if (!largest)
        return -ENOMEM;
    snprintf(id, sizeof(id), "%" PRId64, share->id);
    ph_table_add(table, id);
    if (view->by == PH_CPU_BY_THREAD)
        ph_table_add(table, share->name);
    ph_table_add(table, ph_top_shower(unit)(share->value).text);
    ph_table_add(table, ph_human_percent(share->value, ph_profile_total(view->profile, view->type)).text);
    ph_table_add(table, ph_human_count(share->sample_count).text);
    ph_table_add(table, largest);
    free(largest);
    return 0;
}

static int write_rows(const struct shares *shares, struct ph_profile *part, struct ph_buf *out)
{
    static const struct ph_column thread_columns[] = {
        {"tid", true},   {"thread", false}, {"time", true},
        {"time%", true}, {"samples", true}, {"most of it in", false},
    };
    static const struct ph_column process_columns[] = {
        {"pid", true}, {"time", true}, {"time%", true}, {"samples", true}, {"most of it in", false},
    };
    const struct ph_cpu_view *view = shares->view;
    bool by_thread = view->by == PH_CPU_BY_THREAD;
    size_t shown = shares->row_count < view->row_count ? shares->row_count : view->row_count;
    struct ph_table table;
    int failed = 0;
    ph_table_init(&table, by_thread ? thread_columns : process_columns, by_thread ? 6 : 5);
    ph_buf_printf(out, "Showing %s of %s %s%s\n\n", ph_human_count((int64_t)shown).text,
                  ph_human_count(shares->row_count).text, by_thread ? "thread" : "process",
                  shares->row_count == 1 ? ""
                  : by_thread            ? "s"
                                         : "es");
    for (size_t i = 0; i < shown && failed == 0; i++)
        failed = add_row(&table, shares, &shares->rows[i], part);
    if (failed == 0)
        failed = ph_table_write(&table, view->width, out);
    ph_table_fini(&table);
    return failed;
}

static int write_shares(struct shares *shares, struct ph_profile *part, struct ph_buf *out)
{
    int failed = shares->view->by == PH_CPU_BY_PID ? add_named(shares) : 0;
    if (failed == 0)
        failed = count_samples(shares);
    if (failed)
        return failed;
    if (shares->row_count == 0)
        return -ENODATA;
    qsort(shares->rows, shares->row_count, sizeof(*shares->rows), by_value);
    return write_rows(shares, part, out);
}

int ph_cpu_shares_write(const struct ph_cpu_view *view, struct ph_buf *out)
{
    size_t room = (size_t)view->profile->sample_count + 1;
    struct ph_profile part = *view->profile; /* not to be changed, nor freed, but for these two */
    struct shares shares = {.view = view, .key = view->by == PH_CPU_BY_PID ? PH_LABEL_PID : PH_LABEL_TID};
    part.samples = calloc(room, sizeof(*part.samples));
    part.values = calloc(room, view->profile->type_count * sizeof(*part.values));
    shares.sample_rows = calloc(room, sizeof(*shares.sample_rows));
    int failed = part.samples && part.values && shares.sample_rows ? write_shares(&shares, &part, out) : -ENOMEM;
    free(part.samples);
    free(part.values);
    free(shares.sample_rows);
    free(shares.rows);
    ph_index_fini(&shares.index);
    return failed;
}
