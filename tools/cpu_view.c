#include "tools/cpu_view.h"

#include "base/clock.h"
#include "base/human.h"
#include "tools/heading.h"
#include "tools/heap_family.h"
#include "tools/top_table.h"

#include <errno.h>
#include <string.h>

#define FEW_SAMPLES 100 /* below, the share of a function that has half of them is off by more than 10 % */

static const struct {
    const char *type, *unit, *nothing;
} kinds[] = {
    {"cpu", "nanoseconds", "no thread was seen on a processor"},
    {"wall", "nanoseconds", "no thread was seen"},
    {"samples", "count", "no thread was seen"},
};

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

static bool has_unit(const struct ph_profile *profile, int type, const char *unit)
{
    return type >= 0 && strcmp(ph_profile_text(profile, profile->types[type].unit), unit) == 0;
}

int ph_cpu_type(const struct ph_profile *profile)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        int type = ph_profile_find_type(profile, kinds[i].type);
        if (has_unit(profile, type, kinds[i].unit))
            return type;
    }
    return -1;
}

static const char *type_name(const struct ph_cpu_view *view)
{
    return ph_profile_text(view->profile, view->profile->types[view->type].type);
}

static size_t kind_of(const struct ph_cpu_view *view)
{
    size_t kind = 0;
    while (kind + 1 < KIND_COUNT && strcmp(type_name(view), kinds[kind].type) != 0)
        kind++;
    return kind;
}

/* Of CPU time: how many processors that kept busy. Of wall time: how many threads there were. */
static void write_utilisation(const struct ph_cpu_view *view, int64_t total, struct ph_buf *out)
{
    double ratio = (double)total / (double)view->profile->duration_ns;
    ph_buf_printf(out, " in %s: ", ph_human_time(view->profile->duration_ns).text);
    if (strcmp(type_name(view), "wall") == 0)
        ph_buf_printf(out, "%.1f threads on average", ratio);
    else if (ratio < 0.995)
        ph_buf_printf(out, "%.1f%% of one processor", 100 * ratio);
    else
        ph_buf_printf(out, "%.2f processors busy", ratio);
}

static void write_subject(const struct ph_cpu_view *view, struct ph_buf *out)
{
    const struct ph_profile *profile = view->profile;
    const char *unit = ph_profile_text(profile, profile->types[view->type].unit);
    int64_t total = ph_profile_total(profile, view->type);
    ph_heading_begin(profile, view->subject, view->program, out);
    ph_buf_printf(out, "%s %s", type_name(view), ph_top_shower(unit)(total).text);
    if (profile->duration_ns > 0 && strcmp(unit, "nanoseconds") == 0)
        write_utilisation(view, total, out);
    ph_buf_char(out, '\n');
}

static void write_sampling(const struct ph_cpu_view *view, struct ph_buf *out)
{
    const struct ph_profile *profile = view->profile;
    int type = ph_profile_find_type(profile, "samples");
    bool is_timed = strcmp(ph_profile_text(profile, profile->period_type.unit), "nanoseconds") == 0;
    ph_heading_time(profile, out);
    if (is_timed && profile->period > 0)
        ph_buf_printf(out, "one sample every %s: ", ph_human_time(profile->period).text);
    if (type >= 0) {
        ph_heading_count(out, ph_profile_total(profile, (uint32_t)type), "sample");
        ph_buf_text(out, " in ");
    }
    ph_heading_count(out, ph_heading_stacks(profile, view->type), "stack");
    ph_buf_char(out, '\n');
    int64_t sampled = type < 0 ? FEW_SAMPLES : ph_profile_total(profile, (uint32_t)type);
    if (sampled > 0 && sampled < FEW_SAMPLES)
        ph_buf_text(out, "Few samples: small shares are chance; more --seconds or --hz see more\n");
}

/* What was lost, and why it may have been cut short. */
static void write_notes(const struct ph_profile *profile, struct ph_buf *out)
{
    size_t note_count = 0;
    for (uint32_t i = 0; i < profile->comment_count; i++)
        ph_heading_comment(ph_profile_text(profile, profile->comments[i]), &note_count, out);
    ph_heading_rest(note_count, out);
}

static int write_processes(const struct ph_cpu_view *view, struct ph_buf *out)
{
    struct ph_heap_family family;
    int failed = ph_heap_family_init(view->profile, view->type, &family);
    if (failed)
        return failed;
    if (family.count > 1)
        ph_buf_printf(out, "%s processes%s\n", ph_human_count((int64_t)family.count).text,
                      view->by == PH_CPU_BY_PID ? "" : "; --by pid tells them apart");
    ph_heap_family_fini(&family);
    return 0;
}

int ph_cpu_view_write(const struct ph_cpu_view *view, struct ph_buf *out)
{
    static const enum ph_top_by ways[] = {
        [PH_CPU_BY_FUNCTION] = PH_TOP_FUNCTION, [PH_CPU_BY_LINE] = PH_TOP_LINE, [PH_CPU_BY_MODULE] = PH_TOP_MODULE};
    const char *unit = ph_profile_text(view->profile, view->profile->types[view->type].unit);
    write_subject(view, out);
    int failed = write_processes(view, out);
    if (failed)
        return failed;
    write_sampling(view, out);
    write_notes(view->profile, out);
    if (view->by == PH_CPU_BY_THREAD || view->by == PH_CPU_BY_PID) {
        failed = ph_cpu_shares_write(view, out);
    } else {
        struct ph_top_table table = {.by = ways[view->by],
                                     .row_count = view->row_count,
                                     .width = view->width,
                                     .nothing = kinds[kind_of(view)].nothing,
                                     .show = ph_top_shower(unit)};
        failed = ph_top_table_write(&table, view->profile, view->type, out);
    }
    return failed ? failed : ph_buf_status(out);
}
