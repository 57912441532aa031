#include "model/top.h"

#include "model/grow.h"
#include "model/intern.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows are found by name once for each location, then the samples are counted by number. */
struct builder {
    const struct ph_profile *profile;
    enum ph_top_by by;
    struct ph_top top;
    uint32_t row_count;
    struct ph_index index;
    uint32_t *line_rows;     /* by line: its row */
    uint32_t *location_rows; /* by location of which lines do not matter, or without: its row */
    uint32_t *last_samples;  /* by row: the last sample that counted there, + 1 */
};

struct row_key {
    const char *name, *file;
};

static bool row_equal(const void *owner, uint32_t number, const void *key)
{
    const struct ph_top_row *row = &((const struct builder *)owner)->top.rows[number];
    const struct row_key *wanted = key;
    return strcmp(row->name, wanted->name) == 0 && strcmp(row->file, wanted->file) == 0;
}

static int make_row(struct builder *builder, const struct row_key *key, uint64_t hash)
{
    struct ph_top *top = &builder->top;
    char *name = ph_arena_copy(&top->text, key->name, strlen(key->name));
    char *file = ph_arena_copy(&top->text, key->file, strlen(key->file));
    int status = name && file ? 0 : -ENOMEM;
    if (status == 0)
        status = ph_grow(&top->rows, sizeof(*top->rows), builder->row_count, 1);
    if (status == 0)
        status = ph_index_add(&builder->index, hash, builder->row_count);
    if (status == 0)
        top->rows[builder->row_count++] = (struct ph_top_row){.name = name, .file = file};
    return status;
}

static int find_row(struct builder *builder, const char *name, const char *file, uint32_t *ret_row)
{
    struct row_key key = {name, file};
    uint64_t hash = ph_hash_bytes(name, strlen(name)) * 31 + ph_hash_bytes(file, strlen(file));
    uint32_t row = ph_index_find(&builder->index, hash, row_equal, builder, &key);
    int status = row == PH_INDEX_NONE ? make_row(builder, &key, hash) : 0;
    if (status == 0)
        *ret_row = row == PH_INDEX_NONE ? builder->row_count - 1 : row;
    return status;
}

/* "[libc.so.6]", "[vdso]" as it is, or the bare address. */
static int find_unnamed_row(struct builder *builder, uint64_t address, const char *file, uint32_t *ret_row)
{
    const char *slash = strrchr(file, '/');
    const char *base = slash ? slash + 1 : file;
    char *name = NULL;
    bool is_nowhere = *base == '\0' && builder->by == PH_TOP_MODULE;
    int length = is_nowhere      ? asprintf(&name, "[unknown]")
                 : *base == '\0' ? asprintf(&name, "0x%" PRIx64, address)
                 : *base == '['  ? asprintf(&name, "%s", base)
                                 : asprintf(&name, "[%s]", base);
    if (length < 0)
        return -ENOMEM;
    int status = find_row(builder, name, file, ret_row);
    free(name);
    return status;
}

static bool is_one_row(const struct builder *builder, const struct ph_location *location)
{
    return location->line_count == 0 || builder->by == PH_TOP_MODULE;
}

/* "parse", or by line "parse src/parse.c:12". */
static int find_line_row(struct builder *builder, const struct ph_line *line, const char *file, uint32_t *ret_row)
{
    const struct ph_function *function = &builder->profile->functions[line->function - 1];
    const char *name = ph_profile_text(builder->profile, function->name);
    const char *source = ph_profile_text(builder->profile, function->file);
    char *place = NULL;
    if (builder->by != PH_TOP_LINE || !*source)
        return find_row(builder, name, file, ret_row);
    if (asprintf(&place, line->line ? "%s %s:%" PRId64 : "%s %s", name, source, line->line) < 0)
        return -ENOMEM;
    int status = find_row(builder, place, file, ret_row);
    free(place);
    return status;
}

static int name_location(struct builder *builder, uint32_t number)
{
    const struct ph_profile *profile = builder->profile;
    const struct ph_location *location = ph_profile_location(profile, number);
    const char *file = "";
    if (location->mapping)
        file = ph_profile_text(profile, profile->mappings[location->mapping - 1].file);
    if (is_one_row(builder, location))
        return find_unnamed_row(builder, location->address, file, &builder->location_rows[number - 1]);
    int status = 0;
    for (uint32_t i = location->first_line; i < location->first_line + location->line_count && status == 0; i++)
        status = find_line_row(builder, &profile->lines[i], file, &builder->line_rows[i]);
    return status;
}

static int name_all(struct builder *builder)
{
    int status = 0;
    for (uint32_t number = 1; number <= builder->profile->location_count && status == 0; number++)
        status = name_location(builder, number);
    if (status == 0)
        builder->last_samples = calloc((size_t)builder->row_count + 1, sizeof(*builder->last_samples));
    return builder->last_samples ? status : -ENOMEM;
}

static void count_row(struct builder *builder, uint32_t row_number, uint32_t sample, bool is_leaf, int64_t value)
{
    struct ph_top_row *row = &builder->top.rows[row_number];
    if (is_leaf)
        row->flat = ph_add_saturating(row->flat, value);
    if (builder->last_samples[row_number] != sample + 1)
        row->cumulative = ph_add_saturating(row->cumulative, value);
    builder->last_samples[row_number] = sample + 1;
}

static void count_sample(struct builder *builder, uint32_t sample, int64_t value)
{
    const struct ph_profile *profile = builder->profile;
    for (uint32_t i = 0; i < profile->samples[sample].frame_count; i++) {
        uint32_t frame = profile->frames[profile->samples[sample].first_frame + i];
        const struct ph_location *location = ph_profile_location(profile, frame);
        bool is_one = is_one_row(builder, location);
        if (is_one)
            count_row(builder, builder->location_rows[frame - 1], sample, i == 0, value);
        for (uint32_t j = 0; j < location->line_count && !is_one; j++)
            count_row(builder, builder->line_rows[location->first_line + j], sample, i == 0 && j == 0, value);
    }
}

/* Locations may be there that no sample goes through. */
static void drop_uncounted(struct builder *builder)
{
    size_t kept = 0;
    for (uint32_t i = 0; i < builder->row_count; i++)
        if (builder->last_samples[i])
            builder->top.rows[kept++] = builder->top.rows[i];
    builder->top.row_count = kept;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

static int by_flat(const void *a, const void *b)
{
    const struct ph_top_row *x = a, *y = b;
    if (magnitude(x->flat) != magnitude(y->flat))
        return magnitude(x->flat) < magnitude(y->flat) ? 1 : -1;
    if (magnitude(x->cumulative) != magnitude(y->cumulative))
        return magnitude(x->cumulative) < magnitude(y->cumulative) ? 1 : -1;
    int names = strcmp(x->name, y->name);
    return names ? names : strcmp(x->file, y->file);
}

static int build(struct builder *builder, uint32_t type)
{
    const struct ph_profile *profile = builder->profile;
    builder->line_rows = calloc((size_t)profile->line_count + 1, sizeof(*builder->line_rows));
    builder->location_rows = calloc((size_t)profile->location_count + 1, sizeof(*builder->location_rows));
    int status = builder->line_rows && builder->location_rows ? name_all(builder) : -ENOMEM;
    if (status < 0)
        return status;
    for (uint32_t i = 0; i < profile->sample_count; i++)
        count_sample(builder, i, ph_profile_values(profile, i)[type]);
    drop_uncounted(builder);
    if (builder->top.row_count)
        qsort(builder->top.rows, builder->top.row_count, sizeof(*builder->top.rows), by_flat);
    builder->top.total = ph_profile_total(profile, type);
    return 0;
}

int ph_top_build(const struct ph_profile *profile, uint32_t type, struct ph_top *ret_top)
{
    return ph_top_build_by(profile, type, PH_TOP_FUNCTION, ret_top);
}

int ph_top_build_by(const struct ph_profile *profile, uint32_t type, enum ph_top_by by, struct ph_top *ret_top)
{
    struct builder builder = {.profile = profile, .by = by};
    int status = build(&builder, type);
    free(builder.line_rows);
    free(builder.location_rows);
    free(builder.last_samples);
    ph_index_fini(&builder.index);
    if (status < 0)
        ph_top_fini(&builder.top);
    else
        *ret_top = builder.top;
    return status;
}

void ph_top_fini(struct ph_top *top)
{
    free(top->rows);
    ph_arena_fini(&top->text);
    *top = (struct ph_top){0};
}
