#include "growth/report.h"

#include "growth/analysis.h"
#include "growth/inflection.h"
#include "growth/judge.h"
#include "growth/state.h"
#include "growth/summary.h"
#include "growth/warnings.h"
#include "model/scale.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *copy_text(struct ph_growth_report *report, const char *text)
{
    return *text ? ph_arena_copy(&report->memory, text, strlen(text)) : "";
}

static int write_profiles(struct ph_report_maker *maker)
{
    struct ph_growth_report *report = maker->report;
    const struct ph_timeline *timeline = &maker->timeline;
    report->profile_count = timeline->count;
    report->profiles = ph_arena_alloc(&report->memory, timeline->count * sizeof(*report->profiles));
    if (!report->profiles)
        return -ENOMEM;
    for (size_t i = 0; i < timeline->count; i++) {
        const struct ph_growth_added *added = ph_maker_added(maker, i);
        struct ph_growth_profile *profile = &report->profiles[i];
        *profile = (struct ph_growth_profile){
            .name = copy_text(report, added->name),
            .time_ns = maker->growth->moments[timeline->order[i]].time_ns,
            .seconds = timeline->seconds[i],
            .variance = added->variance,
            .rate_bytes = ph_round_saturating(added->rate_bytes),
            .stack_count = added->stack_count,
            .is_break = timeline->is_break[i],
        };
        for (int type = 0; type < PH_HEAP_TYPE_COUNT; type++)
            profile->totals[type] = isnan(added->totals[type]) ? -1 : ph_round_saturating(added->totals[type]);
        if (!profile->name)
            return -ENOMEM;
    }
    return 0;
}

/* Names of files and modules are shared by many frames: each text is copied once. */
static const char **copy_texts(struct ph_growth_report *report, const struct ph_profile *known)
{
    const char **texts = calloc(known->string_count, sizeof(*texts));
    bool is_whole = texts;
    for (uint32_t i = 0; i < known->string_count && is_whole; i++) {
        texts[i] = copy_text(report, known->strings[i].text);
        is_whole = texts[i];
    }
    if (is_whole)
        return texts;
    free(texts);
    return NULL;
}

static int write_frames(struct ph_report_maker *maker)
{
    struct ph_growth_report *report = maker->report;
    const struct ph_profile *known = maker->growth->sites.known;
    const char **texts = copy_texts(report, known);
    report->frame_count = known->location_count;
    report->frames = ph_arena_alloc(&report->memory, report->frame_count * sizeof(*report->frames));
    for (size_t i = 0; i < report->frame_count && texts && report->frames; i++) {
        const struct ph_frame *frame = &maker->growth->sites.frames.entries[i];
        report->frames[i] = (struct ph_growth_frame){
            .function = texts[frame->function],
            .file = texts[frame->file],
            .line = frame->line,
            .module = texts[frame->module],
            .build_id = texts[frame->build_id],
            .offset = frame->offset,
        };
    }
    bool is_whole = texts && report->frames;
    free(texts);
    return is_whole ? 0 : -ENOMEM;
}

static int write_tree(struct ph_report_maker *maker, const struct ph_path_change *changes)
{
    struct ph_growth_report *report = maker->report;
    const struct ph_sites *sites = &maker->growth->sites;
    struct ph_paths paths;
    int status = ph_paths_init(&paths, sites, changes, ph_sites_count(sites));
    if (status < 0)
        return status;
    report->growth = paths.growth;
    status = ph_inflections_find(&paths, sites->known->location_count, &report->memory, &report->inflections,
                                 &report->inflection_count);
    if (status == 0)
        status = ph_warn(maker, &paths);
    ph_paths_fini(&paths);
    return status;
}

static int write_all(struct ph_report_maker *maker)
{
    struct ph_path_change *changes = NULL;
    int status = write_profiles(maker);
    if (status == 0)
        status = write_frames(maker);
    if (status == 0)
        status = ph_summarize(maker);
    if (status == 0)
        status = ph_judge_sites(maker, &changes);
    if (status == 0)
        status = write_tree(maker, changes);
    free(changes);
    return status;
}

static int make(struct ph_report_maker *maker)
{
    const struct ph_growth *growth = maker->growth;
    int status = ph_timeline_init(&maker->timeline, growth->moments, growth->history.profile_count);
    if (status < 0)
        return status;
    maker->report = calloc(1, sizeof(*maker->report));
    status = maker->report ? 0 : -ENOMEM;
    if (status == 0) {
        maker->report->metric = growth->options.metric;
        maker->report->by = growth->options.by;
        maker->report->false_discovery_rate = growth->options.false_discovery_rate;
        maker->report->is_strict = growth->options.is_strict;
        maker->report->has_times = maker->timeline.has_times;
        status = write_all(maker);
    }
    ph_timeline_fini(&maker->timeline);
    return status;
}

int ph_growth_report(struct ph_growth *growth, struct ph_growth_report **ret_report, struct ph_error *error)
{
    struct ph_report_maker maker = {.growth = growth};
    if (growth->history.profile_count < 2)
        return ph_error_set(error, -EINVAL, "%s, expected at least two to compare",
                            growth->history.profile_count ? "1 profile" : "no profiles");
    int status = make(&maker);
    if (status < 0) {
        ph_growth_report_free(maker.report);
        return ph_error_set(error, status, "no memory for the report");
    }
    *ret_report = maker.report;
    return 0;
}

void ph_growth_report_free(struct ph_growth_report *report)
{
    if (!report)
        return;
    ph_arena_fini(&report->memory);
    free(report);
}
