#include "server/count_text.h"

#include "model/demangle.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

struct counted {
    int64_t count;
    uint32_t sample;
};

static int by_count(const void *a, const void *b)
{
    const struct counted *left = a, *right = b;
    if (left->count != right->count)
        return left->count < right->count ? 1 : -1;
    return left->sample < right->sample ? -1 : left->sample > right->sample;
}

static const uint32_t *frames_of(const struct ph_profile *profile, uint32_t sample)
{
    return profile->frames + profile->samples[sample].first_frame;
}

static void write_stack(const struct ph_profile *profile, const struct counted *counted, struct ph_buf *out)
{
    ph_buf_printf(out, "%" PRId64 " @", counted->count);
    for (uint32_t i = 0; i < profile->samples[counted->sample].frame_count; i++)
        ph_buf_printf(out, " 0x%" PRIx64,
                      ph_profile_location(profile, frames_of(profile, counted->sample)[i])->address + 1);
    ph_buf_char(out, '\n');
}

static void write_name(const struct ph_profile *profile, const struct ph_line *line, struct ph_buf *out)
{
    const struct ph_function *function = &profile->functions[line->function - 1];
    char *name = ph_demangle(ph_profile_text(profile, function->name));
    ph_buf_printf(out, "\t%s", name ? name : ph_profile_text(profile, function->name));
    free(name);
}

static void write_frame(const struct ph_profile *profile, const struct ph_location *location, struct ph_buf *out)
{
    ph_buf_printf(out, "#\t0x%" PRIx64, location->address + 1);
    if (location->line_count)
        write_name(profile, &profile->lines[location->first_line], out);
    else
        ph_buf_text(out, "\t?");
    if (location->mapping)
        ph_buf_printf(out, "\t%s", ph_profile_text(profile, profile->mappings[location->mapping - 1].file));
    ph_buf_char(out, '\n');
}

static struct counted *sort_samples(const struct ph_profile *profile, int64_t *ret_total)
{
    struct counted *order = calloc((size_t)profile->sample_count + 1, sizeof(*order));
    int64_t total = 0;
    if (!order)
        return NULL;
    for (uint32_t i = 0; i < profile->sample_count; i++) {
        order[i] = (struct counted){ph_profile_values(profile, i)[0], i};
        total += order[i].count;
    }
    qsort(order, profile->sample_count, sizeof(*order), by_count);
    *ret_total = total;
    return order;
}

void ph_count_text_write(const struct ph_profile *profile, const char *name, struct ph_buf *out)
{
    int64_t total;
    struct counted *order = sort_samples(profile, &total);
    if (!order) {
        out->failed = -ENOMEM;
        return;
    }
    ph_buf_printf(out, "%s profile: total %" PRId64 "\n", name, total);
    for (uint32_t i = 0; i < profile->sample_count; i++) {
        write_stack(profile, &order[i], out);
        for (uint32_t j = 0; j < profile->samples[order[i].sample].frame_count; j++)
            write_frame(profile, ph_profile_location(profile, frames_of(profile, order[i].sample)[j]), out);
        ph_buf_char(out, '\n');
    }
    free(order);
}
