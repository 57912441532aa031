#include "tools/diff_profile.h"

#include "base/scan.h"
#include "growth/metric.h"
#include "model/check_types.h"
#include "model/demangle.h"
#include "model/folded.h"
#include "model/grow.h"
#include "model/intern.h"
#include "model/merge.h"
#include "model/pprof_write.h"
#include "model/scale.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- pprof ---- */

/* One more label for each sample. Samples can no longer be found by their labels: nothing may be added. */
static int mark_as_base(struct ph_profile *base)
{
    struct ph_label *labels = NULL;
    const struct ph_label mark = {.key = ph_profile_string(base, "pprof::base"),
                                  .text = ph_profile_string(base, "true")};
    int failed = ph_profile_status(base);
    if (failed == 0)
        failed = ph_grow(&labels, sizeof(*labels), 0, (size_t)base->label_count + base->sample_count);
    if (failed)
        return failed;
    uint32_t count = 0;
    for (uint32_t i = 0; i < base->sample_count; i++) {
        struct ph_sample *sample = &base->samples[i];
        for (uint32_t label = 0; label < sample->label_count; label++)
            labels[count + label] = base->labels[sample->first_label + label];
        sample->first_label = count;
        labels[count + sample->label_count++] = mark;
        count += sample->label_count;
    }
    free(base->labels);
    base->labels = labels;
    base->label_count = count;
    return 0;
}

int ph_diff_pprof_write(const struct ph_diff_end *base, const struct ph_diff_end *now, struct ph_buf *out,
                        struct ph_error *error)
{
    const struct ph_profile *const both[] = {base->profile, now->profile};
    const char *const names[] = {base->name, now->name};
    struct ph_profile *difference;
    int failed = ph_profile_check_types(both, names, 2, error);
    if (failed)
        return failed;
    failed = mark_as_base(base->profile);
    if (failed)
        return ph_error_set(error, failed, "no memory for the difference");
    ph_profile_negate(base->profile);
    failed =
        ph_profile_merge((const struct ph_profile *const[]){now->profile, base->profile}, 2, &difference, error);
    if (failed)
        return failed;
    failed = ph_pprof_write(difference, out, error);
    ph_profile_free(difference);
    return failed;
}

/* ---- folded ---- */

struct row {
    const char *stack; /* not terminated; in the text of one of the two */
    size_t size_bytes;
    int64_t values[2]; /* base, new */
};

struct rows {
    struct row *rows;
    uint32_t count;
    struct ph_index index;
};

static bool row_equal(const void *owner, uint32_t number, const void *key)
{
    const struct row *row = &((const struct rows *)owner)->rows[number], *other = key;
    return row->size_bytes == other->size_bytes && memcmp(row->stack, other->stack, row->size_bytes) == 0;
}

static int add_row(struct rows *rows, const struct row *row)
{
    uint64_t hash = ph_hash_bytes(row->stack, row->size_bytes);
    uint32_t place = ph_index_find(&rows->index, hash, row_equal, rows, row);
    if (place != PH_INDEX_NONE) {
        for (int side = 0; side < 2; side++)
            rows->rows[place].values[side] = ph_add_saturating(rows->rows[place].values[side], row->values[side]);
        return 0;
    }
    int failed = ph_grow(&rows->rows, sizeof(*rows->rows), rows->count, 1);
    if (failed == 0)
        failed = ph_index_add(&rows->index, hash, rows->count);
    if (failed == 0)
        rows->rows[rows->count++] = *row;
    return failed;
}

/* Lines of "stack value", of our own making. */
static int add_side(struct rows *rows, const struct ph_buf *text, int side)
{
    struct ph_scan scan = ph_scan_over(text->data, text->size_bytes);
    int failed = 0;
    while (!ph_scan_done(&scan) && failed == 0) {
        struct ph_scan line = ph_scan_line(&scan);
        const char *blank = memrchr(line.next, ' ', (size_t)(line.end - line.next));
        struct row row = {.stack = line.next, .size_bytes = (size_t)(blank - line.next)};
        row.values[side] = strtoll(blank + 1, NULL, 10); /* the line end stops it */
        failed = add_row(rows, &row);
    }
    return failed;
}

static int fold(const struct ph_diff_end *end, enum ph_heap_type type, struct ph_buf *out, struct ph_error *error)
{
    struct ph_metric metric;
    struct ph_error cause = {0};
    if (ph_metric_find(end->profile, type, &metric, &cause) < 0)
        return ph_error_set(error, -EINVAL, "%.120s: %.120s", end->name, cause.text);
    int failed = ph_profile_demangle(end->profile);
    if (failed == 0)
        failed = ph_folded_write(end->profile, (uint32_t)metric.places[type], out);
    return failed ? ph_error_set(error, failed, "no memory for the folded stacks") : 0;
}

static int join(const struct ph_buf texts[2], struct ph_buf *out)
{
    struct rows rows = {.index = PH_INDEX_INIT};
    int failed = add_side(&rows, &texts[0], 0);
    if (failed == 0)
        failed = add_side(&rows, &texts[1], 1);
    for (uint32_t i = 0; i < rows.count && failed == 0; i++) {
        const struct row *row = &rows.rows[i];
        ph_buf_append(out, row->stack, row->size_bytes);
        ph_buf_printf(out, " %" PRId64 " %" PRId64 "\n", row->values[0], row->values[1]);
    }
    free(rows.rows);
    ph_index_fini(&rows.index);
    return failed ? failed : ph_buf_status(out);
}

int ph_diff_folded_write(const struct ph_diff_end *base, const struct ph_diff_end *now, enum ph_heap_type metric,
                         struct ph_buf *out, struct ph_error *error)
{
    struct ph_buf texts[2] = {PH_BUF_INIT, PH_BUF_INIT};
    int failed = fold(base, metric, &texts[0], error);
    if (failed == 0)
        failed = fold(now, metric, &texts[1], error);
    if (failed == 0 && (failed = join(texts, out)) < 0)
        ph_error_set(error, failed, "no memory for the folded stacks");
    ph_buf_fini(&texts[0]);
    ph_buf_fini(&texts[1]);
    return failed;
}
