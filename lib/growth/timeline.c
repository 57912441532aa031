#include "growth/timeline.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SERIES_MIN         3 /* profiles that can tell more than a difference */
#define EQUAL_STEP_SECONDS 1e-3
#define FALLEN             0.9 /* cumulative estimates may fall a little as mean sizes change, but not by so much */

static void count_times(struct ph_timeline *timeline, const struct ph_moment *moments)
{
    bool all_equal = true;
    for (size_t i = 0; i < timeline->count; i++) {
        timeline->untimed_count += moments[i].time_ns <= 0;
        all_equal &= moments[i].time_ns == moments[0].time_ns;
    }
    timeline->has_times = timeline->untimed_count == 0 && (!all_equal || timeline->count == 1);
}

/* Insertion: as good as sorted when it comes, and stable. */
static void sort_by_time(struct ph_timeline *timeline, const struct ph_moment *moments)
{
    for (size_t i = 0; i < timeline->count; i++)
        timeline->order[i] = (uint32_t)i;
    for (size_t i = 1; i < timeline->count && timeline->has_times; i++) {
        uint32_t moved = timeline->order[i];
        size_t at = i;
        for (; at && moments[timeline->order[at - 1]].time_ns > moments[moved].time_ns; at--)
            timeline->order[at] = timeline->order[at - 1];
        timeline->order[at] = moved;
        timeline->is_reordered |= at != i;
    }
}

static bool is_another_process(const struct ph_moment *before, const struct ph_moment *after)
{
    if (ph_program_compare(&before->program, &after->program) != PH_PROGRAM_SAME)
        return true;
    /* What an ended worker had allocated is gone from the sum. */
    return ph_program_ended(&before->program, &after->program) == 0 &&
           after->allocated < before->allocated * FALLEN;
}

static void find_breaks(struct ph_timeline *timeline, const struct ph_moment *moments)
{
    for (size_t i = 1; i < timeline->count; i++)
        timeline->is_break[i] = is_another_process(&moments[timeline->order[i - 1]], &moments[timeline->order[i]]);
}

/* The last process with enough profiles, if there are several processes. */
static void choose_process(struct ph_timeline *timeline)
{
    size_t end = timeline->count;
    for (size_t start = end; start-- > 0;) {
        if (start && !timeline->is_break[start])
            continue;
        if (end - start >= SERIES_MIN) {
            timeline->left_out_before = start;
            timeline->left_out_after = timeline->count - end;
            break;
        }
        end = start;
    }
    timeline->count -= timeline->left_out_before + timeline->left_out_after;
    memmove(timeline->order, timeline->order + timeline->left_out_before,
            timeline->count * sizeof(*timeline->order));
    memmove(timeline->is_break, timeline->is_break + timeline->left_out_before,
            timeline->count * sizeof(*timeline->is_break));
    timeline->is_break[0] = false;
}

static void set_seconds(struct ph_timeline *timeline, const struct ph_moment *moments)
{
    for (size_t i = 0; i < timeline->count; i++) {
        const struct ph_moment *first = &moments[timeline->order[0]], *moment = &moments[timeline->order[i]];
        double seconds = (double)(moment->time_ns - first->time_ns) / 1e9;
        if (!timeline->has_times)
            seconds = (double)i;
        else if (i && moment->time_ns == moments[timeline->order[i - 1]].time_ns)
            timeline->equal_count++;
        if (i && !(seconds > timeline->seconds[i - 1]))
            seconds = timeline->seconds[i - 1] + EQUAL_STEP_SECONDS;
        timeline->seconds[i] = seconds;
    }
}

int ph_timeline_init(struct ph_timeline *timeline, const struct ph_moment *moments, size_t count)
{
    *timeline = (struct ph_timeline){.count = count};
    timeline->order = calloc(count + 1, sizeof(*timeline->order));
    timeline->seconds = calloc(count + 1, sizeof(*timeline->seconds));
    timeline->is_break = calloc(count + 1, sizeof(*timeline->is_break));
    if (!timeline->order || !timeline->seconds || !timeline->is_break) {
        ph_timeline_fini(timeline);
        return -ENOMEM;
    }
    if (count == 0)
        return 0;
    count_times(timeline, moments);
    sort_by_time(timeline, moments);
    find_breaks(timeline, moments);
    choose_process(timeline);
    set_seconds(timeline, moments);
    return 0;
}

void ph_timeline_fini(struct ph_timeline *timeline)
{
    free(timeline->order);
    free(timeline->seconds);
    free(timeline->is_break);
    *timeline = (struct ph_timeline){0};
}
