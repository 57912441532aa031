/* heap_types.h - the sample types of a heap profile, in Go's order; the names are part of the contract. */
#ifndef PH_MODEL_HEAP_TYPES_H
#define PH_MODEL_HEAP_TYPES_H

#include "model/profile.h"

#include <stdbool.h>
#include <stdint.h>

/* Begins the comment that tells processes apart: "process 7, started 1785000000000000000", the start in nanoseconds since
 * 1970. The profile of a family has one for each process in it. */
#define PH_HEAP_PROCESS_COMMENT "process "

enum ph_heap_type {
    PH_HEAP_ALLOC_OBJECTS,
    PH_HEAP_ALLOC_SPACE,
    PH_HEAP_INUSE_OBJECTS,
    PH_HEAP_INUSE_SPACE,
    PH_HEAP_TYPE_COUNT,
};

/** ph_heap_types_set() - the four types, period type space/bytes, period @rate_bytes, default inuse_space. */
void ph_heap_types_set(struct ph_profile *profile, int64_t rate_bytes);

/** ph_heap_types_has() - does the profile have just these four, in this order? */
bool ph_heap_types_has(const struct ph_profile *profile);

/** ph_heap_process_parse() - is @comment one that names a process? Others begin alike: "process 7 (nginx) did not answer". */
bool ph_heap_process_parse(const char *comment, int64_t *ret_pid, int64_t *ret_start_ns);

/** ph_heap_process_is_absent() - does @comment tell of a process that lives, but whose part of the profile is missing? */
bool ph_heap_process_is_absent(const char *comment);

#endif
