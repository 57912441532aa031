/*
 * sampled.h - a profile that is being made of stacks over some seconds: what CPU and wall profiles have in common.
 *
 * Equal stacks with equal labels are one sample, found by one look into an index, so memory is that of what differs, and bounded: of
 * stacks beyond SAMPLES_MAX the labels are left out, and what is new even so is left out itself; a comment says how many. One thread at
 * a time.
 */
#ifndef PH_TASK_SAMPLED_H
#define PH_TASK_SAMPLED_H

#include "task/mappings.h"
#include "task/profiling.h"
#include "task/stacks.h"

#define PH_SAMPLED_SAMPLES_MAX 200000
#define PH_SAMPLED_LABELS_MAX  4 /* beside the program's own */

struct ph_sampled {
    struct ph_profile *profile; /* owned */
    const struct ph_profiling *wish;
    struct ph_mappings mappings;
    uint32_t samples_max;                   /* PH_SAMPLED_SAMPLES_MAX; lower in tests */
    uint64_t stack_count;                   /* stacks that were added … */
    uint64_t end_counts[PH_UNWIND_BAD + 1]; /* … by why they end */
    uint64_t unlabelled_count, left_out_count;
};

/** ph_sampled_init() - @type: "cpu" or "wall", in nanoseconds, after samples/count. Time begins now. 0; -ENOMEM; the errno of reading
 * the maps. To be given to ph_sampled_fini() either way. */
int ph_sampled_init(struct ph_sampled *sampled, const struct ph_profiling *wish, const char *type,
                    struct ph_error *error);
void ph_sampled_fini(struct ph_sampled *sampled);

/**
 * ph_sampled_add() - {count, nanoseconds} more for a stack, which loses its frames of Porthole; @labels and those of @label_set.
 * Returns the place of the sample, which stays; PH_INDEX_NONE if there was no room.
 */
uint32_t ph_sampled_add(struct ph_sampled *sampled, struct ph_task_stack *stack, const struct ph_label *labels,
                        uint32_t label_count, uint32_t label_set, const int64_t *values);

/** ph_sampled_text(), ph_sampled_number() - a label. */
struct ph_label ph_sampled_text(const struct ph_sampled *sampled, const char *key, const char *text);
struct ph_label ph_sampled_number(const struct ph_sampled *sampled, const char *key, int64_t number);

/** ph_sampled_comment() - one line for whom reads the profile: "@count @text"; none if @count is 0. */
void ph_sampled_comment(struct ph_sampled *sampled, uint64_t count, const char *text);

/** ph_sampled_finish() - @duration_ns, comments on what is not complete, names unless the wish is for a bare one. 0 with the profile,
 * the caller's now; -ENOMEM. */
int ph_sampled_finish(struct ph_sampled *sampled, int64_t duration_ns, struct ph_profile **ret_profile,
                      struct ph_error *error);

#endif
