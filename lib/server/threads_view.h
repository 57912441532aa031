/*
 * threads_view.h - a thread dump, read for those who show it: its labels as fields, who is deadlocked, equal stacks together.
 * Any thread.
 */
#ifndef PH_SERVER_THREADS_VIEW_H
#define PH_SERVER_THREADS_VIEW_H

#include "model/profile.h"
#include "model/stack_groups.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One thread. Texts are "" and numbers -1 where they are not known. */
struct ph_thread_row {
    const struct ph_sample *sample;
    const char *name, *state, *call, *socket, *peer, *mutex, *truncated;
    int64_t tid, cpu_ns, fd, owner_tid, since_ns, interrupted;
    int64_t pid; /* 0: of the one process that the dump is of */
};

struct ph_deadlock {
    int64_t pid;
    int64_t *tids; /* each waits for the next, the last for the first */
    size_t count;
};

struct ph_threads_view {
    const struct ph_profile *profile;
    struct ph_thread_row *rows;         /* as the samples of the profile */
    const struct ph_thread_row **order; /* by pid and tid */
    size_t count;
    struct ph_stack_groups groups;
    struct ph_deadlock *deadlocks;
    size_t deadlock_count;
    int status;
};

/** ph_threads_view_make() - of a dump as ph_thread_dump_collect() makes it, or of several that were merged; it must outlive the
 * view. 0 or -ENOMEM. */
int ph_threads_view_make(const struct ph_profile *dump, struct ph_threads_view *ret_view);
void ph_threads_view_fini(struct ph_threads_view *view);

/** ph_threads_view_find() - NULL if there is no such thread. */
const struct ph_thread_row *ph_threads_view_find(const struct ph_threads_view *view, int64_t pid, int64_t tid);

/** ph_threads_view_interrupted() - to how many a signal was sent. */
size_t ph_threads_view_interrupted(const struct ph_threads_view *view);

/** ph_thread_row_waits() - is there anything to tell of what it waits for? */
bool ph_thread_row_waits(const struct ph_thread_row *row);

/** ph_label_is_own() - one of model/labels.h; all others are the program's. */
bool ph_label_is_own(const struct ph_profile *profile, const struct ph_label *label);

/* A frame, as shown; texts are "" where they are not known. */
struct ph_shown_frame {
    uint64_t address; /* where it is, or returns to */
    uint64_t offset;  /* of that in the module's file */
    const char *module, *function, *file;
    int64_t line; /* 0 if not known */
};

/** ph_thread_row_frame() - frame @index of row->sample->frame_count, leaf first. Names are as the dump has them. */
struct ph_shown_frame ph_thread_row_frame(const struct ph_profile *dump, const struct ph_thread_row *row,
                                          uint32_t index);

#endif
