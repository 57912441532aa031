/* stack_groups.h - samples of equal stacks, whatever their labels: what a person wants to read once. Any thread. */
#ifndef PH_MODEL_STACK_GROUPS_H
#define PH_MODEL_STACK_GROUPS_H

#include "model/profile.h"

struct ph_stack_group {
    int64_t total;           /* of the first value */
    const uint32_t *samples; /* in the order of the profile */
    uint32_t sample_count;
};

struct ph_stack_groups {
    struct ph_stack_group
        *groups; /* the largest total first; of equal ones that which comes first in the profile */
    uint32_t count;
    uint32_t *samples; /* of all */
};

/** ph_stack_groups_make() - 0 or -ENOMEM. @profile must outlive them. */
int ph_stack_groups_make(const struct ph_profile *profile, struct ph_stack_groups *ret_groups);
void ph_stack_groups_fini(struct ph_stack_groups *groups);

#endif
