#include "server/count_text.h"

#include "model/demangle.h"
#include "model/stack_groups.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

static void write_stack(const struct ph_profile *profile, const struct ph_sample *sample, int64_t count,
                        struct ph_buf *out)
{
    ph_buf_printf(out, "%" PRId64 " @", count);
    for (uint32_t i = 0; i < sample->frame_count; i++)
        ph_buf_printf(out, " 0x%" PRIx64,
                      ph_profile_location(profile, profile->frames[sample->first_frame + i])->address + 1);
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

static void write_group(const struct ph_profile *profile, const struct ph_stack_group *group, struct ph_buf *out)
{
    const struct ph_sample *sample = &profile->samples[group->samples[0]];
    write_stack(profile, sample, group->total, out);
    for (uint32_t i = 0; i < sample->frame_count; i++)
        write_frame(profile, ph_profile_location(profile, profile->frames[sample->first_frame + i]), out);
    ph_buf_char(out, '\n');
}

void ph_count_text_write(const struct ph_profile *profile, const char *name, struct ph_buf *out)
{
    struct ph_stack_groups groups;
    if (ph_stack_groups_make(profile, &groups) < 0) {
        out->failed = -ENOMEM;
        return;
    }
    ph_buf_printf(out, "%s profile: total %" PRId64 "\n", name, ph_profile_total(profile, 0));
    for (uint32_t i = 0; i < groups.count; i++)
        write_group(profile, &groups.groups[i], out);
    ph_stack_groups_fini(&groups);
}
