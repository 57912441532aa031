#include "task/sampled.h"

#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FRAMES_MAX    (UINT32_C(8) << 20) /* of 4 bytes, all samples */
#define LOCATIONS_MAX (UINT32_C(1) << 20)
#define SET_LABELS    (sizeof(((struct ph_label_set *)0)->labels) / sizeof(((struct ph_label_set *)0)->labels[0]))
#define COMMENT_BYTES 256

int ph_sampled_init(struct ph_sampled *sampled, const struct ph_profiling *wish, const char *type,
                    struct ph_error *error)
{
    char line[COMMENT_BYTES];
    *sampled =
        (struct ph_sampled){.profile = ph_profile_new(), .wish = wish, .samples_max = PH_SAMPLED_SAMPLES_MAX};
    if (!sampled->profile)
        return ph_error_set(error, -ENOMEM, "no memory for the profile");
    ph_profile_add_type(sampled->profile, "samples", "count");
    ph_profile_add_type(sampled->profile, type, "nanoseconds");
    sampled->profile->period_type = sampled->profile->types[1];
    sampled->profile->period = PH_NS_PER_S / wish->hz;
    sampled->profile->time_ns = ph_clock_realtime_ns();
    snprintf(line, sizeof(line), "porthole %s", wish->probe->version);
    ph_profile_add_comment(sampled->profile, line);
    return ph_mappings_init(&sampled->mappings, sampled->profile, error);
}

void ph_sampled_fini(struct ph_sampled *sampled)
{
    ph_mappings_fini(&sampled->mappings);
    ph_profile_free(sampled->profile);
    sampled->profile = NULL;
}

/* ---- Labels ---- */

struct ph_label ph_sampled_text(const struct ph_sampled *sampled, const char *key, const char *text)
{
    return (struct ph_label){.key = ph_profile_string(sampled->profile, key),
                             .text = ph_profile_string(sampled->profile, text)};
}

struct ph_label ph_sampled_number(const struct ph_sampled *sampled, const char *key, int64_t number)
{
    return (struct ph_label){.key = ph_profile_string(sampled->profile, key), .number = number};
}

static uint32_t add_set(const struct ph_sampled *sampled, uint32_t number, struct ph_label *labels, uint32_t count)
{
    if (number == 0)
        return count;
    const struct ph_label_set *set = sampled->wish->probe->label_set(number);
    for (uint32_t i = 0; i < set->count && i < SET_LABELS; i++)
        labels[count++] = ph_sampled_text(sampled, set->labels[i].key, set->labels[i].value);
    return count;
}

/* ---- Samples ---- */

static bool is_full(const struct ph_sampled *sampled, uint32_t samples_max)
{
    const struct ph_profile *profile = sampled->profile;
    return profile->sample_count >= samples_max || profile->frame_count >= FRAMES_MAX;
}

static uint32_t find_and_add(struct ph_profile *profile, const uint32_t *frames, uint32_t frame_count,
                             const struct ph_label *labels, uint32_t label_count, const int64_t *values)
{
    if (ph_profile_find_sample(profile, frames, frame_count, labels, label_count) == PH_INDEX_NONE)
        return PH_INDEX_NONE;
    return ph_profile_add_sample(profile, frames, frame_count, labels, label_count, values);
}

/* A quarter more for samples without labels, which are far fewer. */
static uint32_t add_to_full(struct ph_sampled *sampled, const uint32_t *frames, uint32_t frame_count,
                            const struct ph_label *labels, uint32_t label_count, const int64_t *values)
{
    struct ph_profile *profile = sampled->profile;
    uint32_t place = find_and_add(profile, frames, frame_count, labels, label_count, values);
    if (place != PH_INDEX_NONE)
        return place;
    if (is_full(sampled, sampled->samples_max + sampled->samples_max / 4))
        place = find_and_add(profile, frames, frame_count, NULL, 0, values);
    else
        place = ph_profile_add_sample(profile, frames, frame_count, NULL, 0, values);
    *(place == PH_INDEX_NONE ? &sampled->left_out_count : &sampled->unlabelled_count) += (uint64_t)values[0];
    return place;
}

/* pprof shows no sample without a frame, and its time would be missing from all tables. */
static uint32_t no_stack(struct ph_profile *profile)
{
    const struct ph_function function = {.name = ph_profile_string(profile, "[no stack]")};
    const struct ph_line line = {.function = ph_profile_add_function(profile, &function)};
    return ph_profile_add_location(profile, 0, 0, false, &line, 1);
}

uint32_t ph_sampled_add(struct ph_sampled *sampled, struct ph_task_stack *stack, const struct ph_label *labels,
                        uint32_t label_count, uint32_t label_set, const int64_t *values)
{
    struct ph_profile *profile = sampled->profile;
    struct ph_label all[PH_SAMPLED_LABELS_MAX + SET_LABELS];
    uint32_t frames[PH_UNWIND_FRAMES_MAX];
    sampled->stack_count++;
    sampled->end_counts[stack->end]++;
    if (profile->location_count >= LOCATIONS_MAX) {
        sampled->left_out_count += (uint64_t)values[0];
        return PH_INDEX_NONE;
    }
    ph_stack_strip(stack, sampled->wish->probe);
    for (size_t i = 0; i < stack->count; i++) {
        uint32_t mapping = ph_mappings_find(&sampled->mappings, stack->addresses[i]);
        frames[i] = ph_profile_add_location(profile, mapping, stack->addresses[i], false, NULL, 0);
    }
    uint32_t frame_count = (uint32_t)stack->count;
    if (frame_count == 0)
        frames[frame_count++] = no_stack(profile);
    for (uint32_t i = 0; i < label_count; i++)
        all[i] = labels[i];
    label_count = add_set(sampled, label_set, all, label_count);
    if (is_full(sampled, sampled->samples_max))
        return add_to_full(sampled, frames, frame_count, all, label_count, values);
    return ph_profile_add_sample(profile, frames, frame_count, all, label_count, values);
}

/* ---- The end ---- */

void ph_sampled_comment(struct ph_sampled *sampled, uint64_t count, const char *text)
{
    char line[COMMENT_BYTES];
    if (count == 0)
        return;
    snprintf(line, sizeof(line), "%" PRIu64 " %s", count, text);
    ph_profile_add_comment(sampled->profile, line);
}

static void comment_ends(struct ph_sampled *sampled)
{
    for (int end = 0; end <= PH_UNWIND_BAD; end++) {
        char line[COMMENT_BYTES];
        if (end == PH_UNWIND_COMPLETE || sampled->end_counts[end] == 0)
            continue;
        snprintf(line, sizeof(line), "%" PRIu64 " of %" PRIu64 " stacks are not complete: %s",
                 sampled->end_counts[end], sampled->stack_count, ph_unwind_end_text((enum ph_unwind_end)end));
        ph_profile_add_comment(sampled->profile, line);
    }
}

int ph_sampled_finish(struct ph_sampled *sampled, int64_t duration_ns, struct ph_profile **ret_profile,
                      struct ph_error *error)
{
    sampled->profile->duration_ns = duration_ns;
    comment_ends(sampled);
    ph_sampled_comment(sampled, sampled->unlabelled_count,
                       "samples have lost their labels: there are too many different stacks");
    ph_sampled_comment(sampled, sampled->left_out_count,
                       "samples are left out: there are too many different stacks");
    int status = sampled->wish->bare ? 0 : ph_mappings_name(&sampled->mappings);
    if (status == 0)
        status = ph_profile_status(sampled->profile);
    if (status < 0)
        return ph_error_set(error, status, "no memory for the profile");
    *ret_profile = sampled->profile;
    sampled->profile = NULL;
    return 0;
}
