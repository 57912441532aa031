/*
 * diff_inputs.h - the profiles that a command line names: files, folders of them, processes and endpoints.
 *
 * Each is read when its turn comes and freed again, so that a long series takes no more memory than a short one.
 */
#ifndef PH_TOOLS_DIFF_INPUTS_H
#define PH_TOOLS_DIFF_INPUTS_H

#include "base/error.h"
#include "growth/analysis.h"
#include "tools/source.h"

#include <stdbool.h>
#include <stddef.h>

struct ph_diff_input {
    struct ph_target target;
    char *path;              /* owner of the target's text if it was found in a folder; else NULL */
    struct ph_profile *kept; /* of what cannot be read a second time */
};

struct ph_diff_inputs {
    struct ph_diff_input *items;
    size_t count;
    struct ph_source_options source; /* set by the caller */
    bool keeps_ends;                 /* set by the caller: ph_diff_inputs_take() will be called */
};

/** ph_diff_inputs_add() - one word of the command line, borrowed; of a folder, all files in it. 0; -EINVAL for what
 * can be no target; what ph_series_dir_list() says; -ENOMEM. */
int ph_diff_inputs_add(struct ph_diff_inputs *inputs, const char *word, struct ph_error *error);
void ph_diff_inputs_fini(struct ph_diff_inputs *inputs);

/** ph_diff_inputs_read() - read them all, in this order, into @growth. 0, or what went wrong first. */
int ph_diff_inputs_read(struct ph_diff_inputs *inputs, struct ph_growth *growth, struct ph_error *error);

/**
 * ph_diff_inputs_take() - the profile that stands in the report as @name: the first of that name, or the last.
 * Live ones are as they were when they were read, files are read again. @ret_profile: the caller's to free.
 * 0, -ENOENT, or as ph_source_read().
 */
int ph_diff_inputs_take(struct ph_diff_inputs *inputs, const char *name, bool is_last,
                        struct ph_profile **ret_profile, struct ph_error *error);

#endif
