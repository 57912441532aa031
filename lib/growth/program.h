/*
 * program.h - whose profile is it? Of what a profile tells: its mappings, the main binary first.
 *
 * Ours tell their processes in comments (PH_HEAP_PROCESS_COMMENT): a server that forks has several, of which some come and
 * go while it lives. Others name no pid and no start time. But another process has its files elsewhere in memory (ASLR), and
 * another build has another build id.
 */
#ifndef PH_GROWTH_PROGRAM_H
#define PH_GROWTH_PROGRAM_H

#include "base/arena.h"
#include "model/profile.h"

#include <stdint.h>

struct ph_program_map {
    const char *name, *build_id; /* file name without its folders; "" if unknown */
    uint64_t start, offset;
};

struct ph_program_process {
    int64_t start_ns, pid;
};

struct ph_program {
    const char *name, *build_id; /* of the main binary; "" if unknown */
    struct ph_program_map *maps; /* the first few, the main binary first */
    uint32_t map_count;
    struct ph_program_process *processes; /* in the order of their start; each once */
    uint32_t process_count;               /* 0 if it does not tell */
    uint32_t silent_count;                /* of the family, but they did not answer: what they hold is missing */
};

enum ph_program_change {
    PH_PROGRAM_SAME,
    PH_PROGRAM_MOVED,   /* no process in common, or the same files at other addresses: restarted */
    PH_PROGRAM_REBUILT, /* the main binary has another build id */
    PH_PROGRAM_OTHER,   /* another program */
};

/** ph_program_describe() - texts and maps are copied into @memory. 0, -ENOMEM. */
int ph_program_describe(const struct ph_profile *profile, struct ph_arena *memory, struct ph_program *ret_program);

/** ph_program_compare() - what is unknown of either counts as equal. */
enum ph_program_change ph_program_compare(const struct ph_program *before, const struct ph_program *after);

/** ph_program_ended() - how many processes of @before are not in @after: they have ended, and what they had allocated since
 * their start is not counted any more. 0 if one of both does not tell its processes. */
uint32_t ph_program_ended(const struct ph_program *before, const struct ph_program *after);

#endif
