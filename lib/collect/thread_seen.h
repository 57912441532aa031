/*
 * thread_seen.h - one look at every thread of the host, with its stack: blocked ones from outside, running ones by one signal.
 *
 * In rounds, until each has been seen or two seconds have gone: a thread that runs meanwhile is looked at again, so one that
 * blocks before it answers is not waited for. A thread of ours.
 */
#ifndef PH_COLLECT_THREAD_SEEN_H
#define PH_COLLECT_THREAD_SEEN_H

#include "base/arena.h"
#include "base/error.h"
#include "task/stacks.h"
#include "task/tasks.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ph_thread_seen {
    struct ph_task task; /* without its name */
    char name[PH_TASK_NAME_MAX];
    struct ph_task_look look; /* as it was blocked; not is_blocked: it ran */
    char state; /* letter of /proc/PID/task/TID/stat; 'R' if it ran; '?' if it did neither answer nor block */
    uint32_t label_set;
    bool is_hidden;            /* the kernel does not tell where it is blocked; look may be of_caller */
    bool is_interrupted;       /* a signal was sent to it */
    const char *why;           /* why there is no stack, or not all of it; "" if nothing lacks */
    const uint64_t *addresses; /* leaf first; frames of Porthole are left out */
    size_t count;
};

/**
 * ph_threads_see() - all threads, sorted by tid.
 * @tasks: zeroed; they are read here, for the caller to free. @ret_seen: free with free(); what it points to is in @arena. 0; -ENOMEM; the errno of listing /proc.
 */
int ph_threads_see(const struct ph_probe *probe, struct ph_unwinder *unwinder, const struct ph_memory *memory,
                   struct ph_tasks *tasks, struct ph_arena *arena, struct ph_thread_seen **ret_seen,
                   size_t *ret_count, struct ph_error *error);

#endif
