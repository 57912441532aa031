#include "model/stack_groups.h"

#include "model/intern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare_stacks(const struct ph_profile *profile, uint32_t left, uint32_t right)
{
    const struct ph_sample *a = &profile->samples[left], *b = &profile->samples[right];
    if (a->frame_count != b->frame_count)
        return a->frame_count < b->frame_count ? -1 : 1;
    if (a->frame_count == 0)
        return 0;
    return memcmp(profile->frames + a->first_frame, profile->frames + b->first_frame,
                  a->frame_count * sizeof(*profile->frames));
}

static int by_stack(const void *a, const void *b, void *context)
{
    const uint32_t *left = a, *right = b;
    int order = compare_stacks(context, *left, *right);
    return order ? order : (*left > *right) - (*left < *right);
}

static int by_total(const void *a, const void *b)
{
    const struct ph_stack_group *left = a, *right = b;
    if (left->total != right->total)
        return left->total < right->total ? 1 : -1;
    return (left->samples[0] > right->samples[0]) - (left->samples[0] < right->samples[0]);
}

static void split(const struct ph_profile *profile, struct ph_stack_groups *groups)
{
    struct ph_stack_group *group = NULL;
    for (uint32_t i = 0; i < profile->sample_count; i++) {
        const uint32_t *sample = &groups->samples[i];
        if (!group || compare_stacks(profile, *group->samples, *sample) != 0) {
            group = &groups->groups[groups->count++];
            group->samples = sample;
        }
        group->sample_count++;
        group->total = ph_add_saturating(group->total, ph_profile_values(profile, *sample)[0]);
    }
}

int ph_stack_groups_make(const struct ph_profile *profile, struct ph_stack_groups *ret_groups)
{
    struct ph_stack_groups groups = {
        .groups = calloc((size_t)profile->sample_count + 1, sizeof(*groups.groups)),
        .samples = calloc((size_t)profile->sample_count + 1, sizeof(*groups.samples)),
    };
    if (!groups.groups || !groups.samples) {
        ph_stack_groups_fini(&groups);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < profile->sample_count; i++)
        groups.samples[i] = i;
    qsort_r(groups.samples, profile->sample_count, sizeof(*groups.samples), by_stack, (void *)profile);
    split(profile, &groups);
    qsort(groups.groups, groups.count, sizeof(*groups.groups), by_total);
    *ret_groups = groups;
    return 0;
}

void ph_stack_groups_fini(struct ph_stack_groups *groups)
{
    free(groups->groups);
    free(groups->samples);
    *groups = (struct ph_stack_groups){NULL, 0, NULL};
}
