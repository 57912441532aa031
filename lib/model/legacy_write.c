#include "model/legacy_write.h"

#include "model/demangle.h"
#include "model/heap_types.h"
#include "model/intern.h"
#include "model/maps.h"
#include "model/scale.h"
#include "model/stack_groups.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NEWTON_STEPS 8 /* quadratic: beyond the 53 bits of a double */

/* What readers are to multiply again. */
struct counts {
    int64_t objects, bytes;
};

/* A stack, whatever the labels of its samples: the text has none. */
struct row {
    uint32_t sample;     /* the first of them */
    int64_t inuse_bytes; /* of all */
    struct counts inuse, alloc;
};

struct rows {
    struct row *rows;
    uint32_t count;
};

struct writer {
    const struct ph_profile *profile;
    struct ph_buf *out;
    char **names; /* by function: demangled once it was needed; NULL if none are asked for */
};

static int64_t at_least_one(double value)
{
    int64_t rounded = ph_round_saturating(value);
    return rounded > 0 ? rounded : 1;
}

/*
 * The mean size from which readers get @wanted_bytes for @objects printed ones: x / (1 - exp(-x)) = wanted, in units
 * of the rate. Convex and rising, so Newton's method from the right end converges. NaN or nonsense if there is none.
 */
static double solve_mean(double objects, double wanted_bytes, double rate_bytes)
{
    double wanted = wanted_bytes / objects / rate_bytes, x = wanted;
    for (int i = 0; i < NEWTON_STEPS; i++) {
        double e = exp(-x);
        x -= (x / (1 - e) - wanted) * (1 - e) * (1 - e) / (1 - e - x * e);
    }
    return x * rate_bytes;
}

/*
 * Counts that unbias to @objects and @bytes, both positive. As counts are whole, not every pair can be had. Rounding
 * both keeps the mean size, which decides the factor; where the number of objects can be met by whole counts (few,
 * large ones), the bytes are solved for and come out exactly.
 */
static struct counts bias(double objects, double bytes, double rate_bytes)
{
    double factor = ph_unbias(objects, bytes, rate_bytes);
    double printed = (double)at_least_one(objects / factor);
    double mean = solve_mean(printed, bytes, rate_bytes);
    if (!(mean > 0) || round(printed * ph_unbias(1, mean, rate_bytes)) != objects)
        mean = bytes / objects;
    return (struct counts){(int64_t)printed, at_least_one(printed * mean)};
}

static struct counts bias_pair(int64_t objects, int64_t bytes, double rate_bytes)
{
    if (bytes == 0 || (objects > 0) != (bytes > 0) || !(rate_bytes > 1)) {
        /* Readers leave these as they are; pprof refuses 0 objects of some bytes. */
        return (struct counts){objects || !bytes ? objects : 1, bytes};
    }
    struct counts counts = bias(fabs((double)objects), fabs((double)bytes), rate_bytes);
    return objects > 0 ? counts : (struct counts){-counts.objects, -counts.bytes};
}

static void sum_up(const struct ph_profile *profile, const struct ph_stack_group *group, int64_t *ret_values)
{
    for (uint32_t i = 0; i < group->sample_count; i++) {
        const int64_t *values = ph_profile_values(profile, group->samples[i]);
        for (uint32_t type = 0; type < PH_HEAP_TYPE_COUNT; type++)
            ret_values[type] = ph_add_saturating(ret_values[type], values[type]);
    }
}

static struct row make_row(const struct ph_profile *profile, const struct ph_stack_group *group)
{
    int64_t values[PH_HEAP_TYPE_COUNT] = {0};
    double rate_bytes = (double)profile->period;
    sum_up(profile, group, values);
    return (struct row){
        .sample = group->samples[0],
        .inuse_bytes = values[PH_HEAP_INUSE_SPACE],
        .inuse = bias_pair(values[PH_HEAP_INUSE_OBJECTS], values[PH_HEAP_INUSE_SPACE], rate_bytes),
        .alloc = bias_pair(values[PH_HEAP_ALLOC_OBJECTS], values[PH_HEAP_ALLOC_SPACE], rate_bytes),
    };
}

/* Equal ones in the order of the profile, so that the text is the same each time. */
static int by_inuse(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->inuse_bytes != y->inuse_bytes)
        return x->inuse_bytes < y->inuse_bytes ? 1 : -1;
    return (x->sample > y->sample) - (x->sample < y->sample);
}

static int make_rows(const struct ph_profile *profile, struct rows *ret_rows)
{
    struct ph_stack_groups groups;
    int status = ph_stack_groups_make(profile, &groups);
    if (status < 0)
        return status;
    struct rows rows = {calloc((size_t)groups.count + 1, sizeof(*rows.rows)), groups.count};
    for (uint32_t i = 0; rows.rows && i < rows.count; i++)
        rows.rows[i] = make_row(profile, &groups.groups[i]);
    ph_stack_groups_fini(&groups);
    if (!rows.rows)
        return -ENOMEM;
    qsort(rows.rows, rows.count, sizeof(*rows.rows), by_inuse);
    *ret_rows = rows;
    return 0;
}

static void write_counts(struct ph_buf *out, const struct counts *inuse, const struct counts *alloc)
{
    ph_buf_printf(out, "%" PRId64 ": %" PRId64 " [%" PRId64 ": %" PRId64 "] @", inuse->objects, inuse->bytes,
                  alloc->objects, alloc->bytes);
}

static void add_counts(struct counts *sum, const struct counts *more)
{
    sum->objects = ph_add_saturating(sum->objects, more->objects);
    sum->bytes = ph_add_saturating(sum->bytes, more->bytes);
}

static void write_header(const struct ph_profile *profile, const struct rows *rows, struct ph_buf *out)
{
    struct counts inuse = {0, 0}, alloc = {0, 0};
    for (uint32_t i = 0; i < rows->count; i++) {
        add_counts(&inuse, &rows->rows[i].inuse);
        add_counts(&alloc, &rows->rows[i].alloc);
    }
    ph_buf_text(out, "heap profile: ");
    write_counts(out, &inuse, &alloc);
    /* jeprof takes a rate of 0 for 128 KiB. */
    ph_buf_printf(out, " heap_v2/%" PRId64 "\n", profile->period > 0 ? profile->period : 1);
}

/* As printf's 0x%lx, which would take most of the time for a profile of 100,000 stacks. */
static void write_hex(struct ph_buf *out, uint64_t value)
{
    char text[2 + 16];
    char *first = text + sizeof(text);
    do {
        *--first = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value);
    *--first = 'x';
    *--first = '0';
    ph_buf_append(out, first, (size_t)(text + sizeof(text) - first));
}

static int write_line_symbol(struct writer *writer, uint64_t address, const struct ph_line *line)
{
    const struct ph_profile *profile = writer->profile;
    const struct ph_function *function = &profile->functions[line->function - 1];
    char **name = &writer->names[line->function - 1];
    if (!*name)
        *name = ph_demangle(ph_profile_text(profile, function->name));
    if (!*name)
        return -ENOMEM;
    ph_buf_text(writer->out, "#\t");
    write_hex(writer->out, address);
    ph_buf_char(writer->out, '\t');
    ph_maps_name(writer->out, *name);
    if (function->file) {
        ph_buf_char(writer->out, '\t');
        ph_maps_name(writer->out, ph_profile_text(profile, function->file));
        ph_buf_printf(writer->out, ":%" PRId64, line->line);
    }
    ph_buf_char(writer->out, '\n');
    return 0;
}

/* Without a name: the place in the file, for addr2line. */
static void write_module_symbol(struct writer *writer, const struct ph_location *location)
{
    ph_buf_text(writer->out, "#\t");
    write_hex(writer->out, location->address);
    ph_buf_text(writer->out, "\t?");
    if (location->mapping) {
        const struct ph_mapping *mapping = &writer->profile->mappings[location->mapping - 1];
        ph_buf_char(writer->out, '\t');
        ph_maps_name(writer->out, ph_profile_text(writer->profile, mapping->file));
        ph_buf_char(writer->out, '+');
        write_hex(writer->out, location->address - mapping->start + mapping->offset);
    }
    ph_buf_char(writer->out, '\n');
}

static const struct ph_location *sample_location(const struct ph_profile *profile, const struct ph_sample *sample,
                                                 uint32_t frame)
{
    return ph_profile_location(profile, profile->frames[sample->first_frame + frame]);
}

static int write_symbols(struct writer *writer, const struct ph_sample *sample)
{
    const struct ph_profile *profile = writer->profile;
    int status = 0;
    for (uint32_t i = 0; i < sample->frame_count && status == 0; i++) {
        const struct ph_location *location = sample_location(profile, sample, i);
        if (location->line_count == 0)
            write_module_symbol(writer, location);
        for (uint32_t j = 0; j < location->line_count && status == 0; j++)
            status = write_line_symbol(writer, location->address, &profile->lines[location->first_line + j]);
    }
    return status;
}

static int write_row(struct writer *writer, const struct row *row)
{
    const struct ph_profile *profile = writer->profile;
    const struct ph_sample *sample = &profile->samples[row->sample];
    write_counts(writer->out, &row->inuse, &row->alloc);
    for (uint32_t i = 0; i < sample->frame_count; i++) {
        ph_buf_char(writer->out, ' ');
        write_hex(writer->out, sample_location(profile, sample, i)->address + 1);
    }
    ph_buf_char(writer->out, '\n');
    return writer->names ? write_symbols(writer, sample) : 0;
}

/* Readers place addresses by these. */
static void write_maps(const struct ph_profile *profile, struct ph_buf *out)
{
    if (profile->mapping_count == 0)
        return;
    ph_buf_text(out, "\nMAPPED_LIBRARIES:\n");
    ph_maps_write(profile, out);
}

static int write_rows(struct writer *writer)
{
    struct rows rows;
    int status = make_rows(writer->profile, &rows);
    if (status < 0)
        return status;
    write_header(writer->profile, &rows, writer->out);
    for (uint32_t i = 0; i < rows.count && status == 0; i++)
        status = write_row(writer, &rows.rows[i]);
    free(rows.rows);
    return status;
}

int ph_legacy_write(const struct ph_profile *profile, bool symbols, struct ph_buf *out)
{
    if (!ph_heap_types_has(profile))
        return -EINVAL;
    struct writer writer = {profile, out, NULL};
    if (symbols)
        writer.names = calloc((size_t)profile->function_count + 1, sizeof(*writer.names));
    int status = writer.names || !symbols ? write_rows(&writer) : -ENOMEM;
    write_maps(profile, out);
    for (uint32_t i = 0; writer.names && i < profile->function_count; i++)
        free(writer.names[i]);
    free(writer.names);
    return status < 0 ? status : ph_buf_status(out);
}
