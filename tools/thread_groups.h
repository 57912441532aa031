/* thread_groups.h - threads with equal stacks, put together. */
#ifndef PH_TOOLS_THREAD_GROUPS_H
#define PH_TOOLS_THREAD_GROUPS_H

#include "tools/thread_answer.h"

#include <stddef.h>

/* Frames are equal if function and place are: module and offset where there is a module, else the address. So processes of a family
 * that have it elsewhere are joined, too. */
struct ph_thread_group {
    const struct ph_thread_row **members; /* at least one; by pid and tid */
    size_t count;
};

struct ph_thread_groups {
    struct ph_thread_group *groups; /* largest first, then by the first of their members */
    size_t count;
    const struct ph_thread_row **members; /* private: of all of them */
};

/** ph_thread_groups_make() - of the threads that are shown: @is_joined by stack, or each by itself, by pid and tid. @answer is borrowed. 0 or -ENOMEM. */
int ph_thread_groups_make(const struct ph_thread_answer *answer, bool is_joined,
                          struct ph_thread_groups *ret_groups);
void ph_thread_groups_fini(struct ph_thread_groups *groups);

#endif
