#include "growth/history.h"

#include "model/grow.h"

#include <float.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int ph_history_reserve(struct ph_history *history, uint32_t site_count)
{
    if (site_count <= history->site_count)
        return 0;
    uint32_t more = site_count - history->site_count;
    int status = ph_grow(&history->newest, sizeof(*history->newest), history->site_count, more);
    if (status == 0)
        status = ph_grow(&history->now, sizeof(*history->now), history->site_count, more);
    if (status < 0)
        return status;
    memset(history->newest + history->site_count, 0, more * sizeof(*history->newest));
    memset(history->now + history->site_count, 0, more * sizeof(*history->now));
    history->site_count = site_count;
    return 0;
}

static float add_bounded(float a, float b)
{
    float sum = a + b;
    return sum < FLT_MAX ? sum : FLT_MAX;
}

void ph_history_add(struct ph_history *history, uint32_t site, const struct ph_point *point)
{
    struct ph_point *now = &history->now[site];
    for (int type = 0; type < PH_HEAP_TYPE_COUNT; type++)
        now->values[type] += point->values[type];
    now->sampled = add_bounded(now->sampled, point->sampled);
    now->variance = add_bounded(now->variance, point->variance);
}

static bool is_equal(const struct ph_point *a, const struct ph_point *b)
{
    for (int type = 0; type < PH_HEAP_TYPE_COUNT; type++)
        if (a->values[type] != b->values[type])
            return false;
    return a->sampled == b->sampled && a->variance == b->variance;
}

static bool has_changed(const struct ph_history *history, uint32_t site)
{
    static const struct ph_point none;
    uint32_t newest = history->newest[site];
    return !is_equal(&history->now[site], newest ? &history->entries[newest - 1].point : &none);
}

int ph_history_close(struct ph_history *history)
{
    uint32_t changed_count = 0;
    for (uint32_t site = 0; site < history->site_count; site++)
        changed_count += has_changed(history, site);
    int status = ph_grow(&history->entries, sizeof(*history->entries), history->entry_count, changed_count);
    if (status < 0) {
        ph_history_abandon(history);
        return status;
    }
    for (uint32_t site = 0; site < history->site_count && changed_count; site++) {
        if (!has_changed(history, site))
            continue;
        history->entries[history->entry_count++] =
            (struct ph_history_entry){history->now[site], history->profile_count, history->newest[site]};
        history->newest[site] = history->entry_count;
    }
    history->profile_count++;
    ph_history_abandon(history);
    return 0;
}

void ph_history_abandon(struct ph_history *history)
{
    if (history->site_count)
        memset(history->now, 0, history->site_count * sizeof(*history->now));
}

void ph_history_read(const struct ph_history *history, uint32_t site, struct ph_point *ret_points)
{
    static const struct ph_point none;
    uint32_t entry = site < history->site_count ? history->newest[site] : 0;
    for (uint32_t profile = history->profile_count; profile-- > 0;) {
        while (entry && history->entries[entry - 1].profile > profile)
            entry = history->entries[entry - 1].previous;
        ret_points[profile] = entry ? history->entries[entry - 1].point : none;
    }
}

void ph_history_fini(struct ph_history *history)
{
    free(history->entries);
    free(history->newest);
    free(history->now);
    *history = (struct ph_history)PH_HISTORY_INIT;
}
