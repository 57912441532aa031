#include "growth/sites.h"

#include "model/grow.h"
#include "model/heap_types.h"
#include "model/labels.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* jemalloc records 128 frames, some of which are the allocator's own; Go, up to 1.22, 32. */
#define DEEP_FRAMES    120
#define DEEP_GO_FRAMES 32

enum { VERDICT_UNKNOWN, VERDICT_NEUTRAL, VERDICT_HOLDS, VERDICT_DROPS };

struct finder {
    struct ph_sites *sites;
    const struct ph_profile *profile;
    struct ph_filter_view view;
    struct ph_frame_map map;
    uint8_t *verdicts; /* of the filter, by location */
    uint32_t *stack;   /* of the sample being looked at */
    char only_pid[24]; /* whose samples have no label; "" if that is not told */
};

int ph_sites_init(struct ph_sites *sites, enum ph_growth_by by, const struct ph_filter *filter)
{
    *sites = (struct ph_sites){.filter = filter, .known = ph_profile_new()};
    return ph_frames_init(&sites->frames, by, sites->known);
}

void ph_sites_fini(struct ph_sites *sites)
{
    ph_frames_fini(&sites->frames);
    ph_profile_free(sites->known);
    free(sites->is_deep);
    *sites = (struct ph_sites){0};
}

static uint8_t judge_location(struct finder *finder, uint32_t number)
{
    uint8_t *verdict = &finder->verdicts[number - 1];
    const struct ph_location *location = ph_profile_location(finder->profile, number);
    if (*verdict != VERDICT_UNKNOWN)
        return *verdict;
    *verdict = VERDICT_NEUTRAL;
    if (ph_filter_drops(&finder->view, location))
        *verdict = VERDICT_DROPS;
    else if (ph_filter_holds(&finder->view, location))
        *verdict = VERDICT_HOLDS;
    return *verdict;
}

/* A stack without any frame has nothing that a focus could match. */
static bool is_kept(struct finder *finder, const struct ph_sample *sample)
{
    bool holds = !finder->sites->filter->is_set[PH_FILTER_FOCUS];
    for (uint32_t i = 0; i < sample->frame_count; i++) {
        uint8_t verdict = judge_location(finder, finder->profile->frames[sample->first_frame + i]);
        if (verdict == VERDICT_DROPS)
            return false;
        holds |= verdict == VERDICT_HOLDS;
    }
    return holds;
}

static int put_frame(struct finder *finder, uint32_t frame, uint32_t *count)
{
    if (frame == PH_INDEX_NONE || ph_grow(&finder->stack, sizeof(*finder->stack), *count, 1) < 0)
        return -ENOMEM;
    finder->stack[(*count)++] = frame;
    return 0;
}

static int put_process(struct finder *finder, const struct ph_sample *sample, uint32_t *count)
{
    const char *pid = ph_profile_label_text(finder->profile, sample, PH_LABEL_PID);
    if (!*pid)
        pid = finder->only_pid;
    return *pid ? put_frame(finder, ph_frames_of_process(&finder->sites->frames, pid), count) : 0;
}

static int collect_stack(struct finder *finder, const struct ph_sample *sample, uint32_t *ret_count)
{
    const struct ph_frame_map *map = &finder->map;
    uint32_t count = 0;
    for (uint32_t i = 0; i < sample->frame_count; i++) {
        uint32_t location = finder->profile->frames[sample->first_frame + i];
        for (uint32_t at = map->starts[location - 1]; at < map->starts[location]; at++) {
            if (count && finder->stack[count - 1] == map->frames[at])
                continue;
            if (put_frame(finder, map->frames[at], &count) < 0)
                return -ENOMEM;
        }
    }
    *ret_count = count;
    bool is_whole = finder->sites->frames.by == PH_BY_PID && (count || sample->frame_count == 0);
    return is_whole ? put_process(finder, sample, ret_count) : 0;
}

static int add_site(struct finder *finder, uint32_t count, bool is_deep, uint32_t *ret_site)
{
    struct ph_sites *sites = finder->sites;
    uint32_t known_count = ph_sites_count(sites);
    if (ph_grow(&sites->is_deep, sizeof(*sites->is_deep), known_count, 1) < 0)
        return -ENOMEM;
    uint32_t site = ph_profile_add_sample(sites->known, finder->stack, count, NULL, 0, NULL);
    if (site == PH_INDEX_NONE)
        return ph_profile_status(sites->known);
    sites->is_deep[site] = is_deep || (site < known_count && sites->is_deep[site]);
    *ret_site = site;
    return 0;
}

static int find_site(struct finder *finder, const struct ph_sample *sample, uint32_t *ret_site)
{
    uint32_t count = 0;
    *ret_site = PH_INDEX_NONE;
    if (!is_kept(finder, sample))
        return 0;
    int status = collect_stack(finder, sample, &count);
    if (status < 0 || (count == 0 && sample->frame_count)) /* hidden as a whole: pprof drops it, too */
        return status;
    bool is_deep = sample->frame_count >= DEEP_FRAMES || sample->frame_count == DEEP_GO_FRAMES;
    return add_site(finder, count, is_deep, ret_site);
}

/* Of a profile of one process. */
static void find_only_pid(struct finder *finder)
{
    int64_t pid, start_ns;
    uint32_t found_count = 0;
    for (uint32_t i = 0; i < finder->profile->comment_count; i++) {
        if (!ph_heap_process_parse(ph_profile_text(finder->profile, finder->profile->comments[i]), &pid, &start_ns))
            continue;
        found_count++;
        snprintf(finder->only_pid, sizeof(finder->only_pid), "%" PRId64, pid);
    }
    if (found_count > 1)
        finder->only_pid[0] = '\0';
}

static int find_all(struct finder *finder, uint32_t *ret_sites)
{
    find_only_pid(finder);
    int status = ph_frame_map_init(&finder->map, &finder->sites->frames, &finder->view);
    for (uint32_t i = 0; i < finder->profile->sample_count && status == 0; i++)
        status = find_site(finder, &finder->profile->samples[i], &ret_sites[i]);
    return status;
}

int ph_sites_find(struct ph_sites *sites, const struct ph_profile *profile, uint32_t *ret_sites)
{
    struct finder finder = {.sites = sites, .profile = profile};
    int status = ph_filter_view_init(&finder.view, sites->filter, profile);
    if (status < 0)
        return status;
    finder.verdicts = calloc((size_t)profile->location_count + 1, 1);
    status = finder.verdicts ? find_all(&finder, ret_sites) : -ENOMEM;
    free(finder.verdicts);
    free(finder.stack);
    ph_frame_map_fini(&finder.map);
    ph_filter_view_fini(&finder.view);
    return status;
}
