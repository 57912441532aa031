/*
 * heap_family.h - a heap profile of several processes: who holds how much.
 *
 * Each sample tells its process in the label pid, and comments name all processes, also those that hold nothing. A profile
 * without such labels is that of one process, or of nobody knows whom.
 */
#ifndef PH_TOOLS_HEAP_FAMILY_H
#define PH_TOOLS_HEAP_FAMILY_H

#include "model/profile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ph_heap_process {
    int64_t pid;
    int64_t total, inherited; /* inherited: the part of total that was allocated before it was forked */
};

struct ph_heap_family {
    struct ph_heap_process *processes; /* by |total|, largest first; then by pid */
    size_t count;                      /* 0 if the profile does not tell of processes at all */
    int64_t inherited;                 /* by all of them */
};

/** ph_heap_family_init() - of the values of @type. 0 or -ENOMEM. */
int ph_heap_family_init(const struct ph_profile *profile, uint32_t type, struct ph_heap_family *ret_family);
void ph_heap_family_fini(struct ph_heap_family *family);

/** ph_heap_family_has() - is @pid one of them? */
bool ph_heap_family_has(const struct ph_heap_family *family, int64_t pid);

/* The samples of one process, to be read as a profile: without comments, else as the whole, which has to stay. */
struct ph_heap_part {
    struct ph_profile view; /* not to be changed, nor freed but by ph_heap_part_fini() */
};

/** ph_heap_part_init() - 0 or -ENOMEM. */
int ph_heap_part_init(const struct ph_profile *profile, int64_t pid, struct ph_heap_part *ret_part);
void ph_heap_part_fini(struct ph_heap_part *part);

#endif
