#include "tools/heap_view.h"

#include "base/clock.h"
#include "base/human.h"
#include "base/visible.h"
#include "model/heap_types.h"
#include "model/scale.h"
#include "tools/heading.h"
#include "tools/top_table.h"

#include <errno.h>
#include <math.h>

#define FEW_SAMPLES 20 /* below, the relative standard error 1/sqrt(n) is over 22 % */

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

struct ph_human ph_heap_value_text(const struct ph_heap_view *view, int64_t value)
{
    const char *unit = ph_profile_text(view->profile, view->profile->types[view->type].unit);
    return ph_top_shower(unit)(value);
}

static void write_subject(const struct ph_heap_view *view, int64_t total, struct ph_buf *out)
{
    const struct ph_profile *profile = view->profile;
    ph_heading_begin(profile, view->subject, view->program, out);
    ph_visible(out, ph_profile_text(profile, profile->types[view->type].type));
    /* Of heap profiles, only a difference has a duration. */
    ph_buf_printf(out, "%s %s", profile->duration_ns > 0 ? " changed by" : "",
                  ph_heap_value_text(view, total).text);
    if (profile->duration_ns > 0)
        ph_buf_printf(out, " in %s", ph_human_duration((double)profile->duration_ns / (double)PH_NS_PER_S).text);
    ph_buf_char(out, '\n');
}

static void write_sampling(const struct ph_heap_view *view, struct ph_buf *out)
{
    const struct ph_profile *profile = view->profile;
    double sampled = ph_heap_sampled_count(profile, view->type);
    ph_heading_time(profile, out);
    if (sampled < 0) {
        ph_buf_text(out, "samples of unknown rate");
    } else if (profile->period == 1) {
        ph_buf_text(out, "every allocation counted");
    } else {
        ph_buf_printf(out, "one sample every %s: about ", ph_human_size((uint64_t)profile->period).text);
        ph_heading_count(out, llround(sampled), "sample");
    }
    ph_buf_text(out, " in ");
    ph_heading_count(out, ph_heading_stacks(profile, view->type), "stack");
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
    ph_heading_missing(profile, out);
}

static int write_functions(const struct ph_heap_view *view, struct ph_buf *out)
{
    const char *unit = ph_profile_text(view->profile, view->profile->types[view->type].unit);
    struct ph_top_table table = {.row_count = view->row_count,
                                 .width = view->width,
                                 .nothing = "nothing that was sampled is left to show",
                                 .show = ph_top_shower(unit)};
    return ph_top_table_write(&table, view->profile, view->type, out);
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
