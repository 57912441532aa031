/*
 * wall_threads.h - the threads of a wall profile, one look at a time: what the time since the look before was spent with.
 *
 * A round: ph_wall_look() at some threads, then ph_wall_take_stacks(), which reads the stacks of those that block elsewhere than before
 * and fetches the answers of those that run. Time of a thread that runs is owed until it has answered. One thread at a time.
 */
#ifndef PH_COLLECT_WALL_THREADS_H
#define PH_COLLECT_WALL_THREADS_H

#include "elf/memory.h"
#include "task/sampled.h"

#define PH_WALL_ASKED_MAX 32 /* at a time; others of Porthole ask, too: PH_ASKED_MAX */

struct ph_wall_thread {
    pid_t tid;
    bool has_ended, is_asked, is_blocked;
    uint32_t name;            /* string of the profile */
    int64_t counted_ns;       /* its time until then is in the profile, or owed */
    uint32_t blocked_place;   /* the sample of the last look that found it blocked */
    struct ph_task_look look; /* valid if is_blocked */
    uint32_t running_place;   /* the sample of its last answer */
    int64_t owed_count, owed_ns;
};

/* A thread that blocks elsewhere than at the look before. */
struct ph_wall_change {
    pid_t tid;
    bool is_hidden; /* the kernel does not tell where */
    struct ph_task_look look;
    int64_t values[2];
};

struct ph_wall {
    struct ph_sampled sampled;
    int64_t until_ns; /* later time is none of the profile's */
    struct ph_unwinder *unwinder;
    struct ph_tasks tasks;
    struct ph_memory memory;
    struct ph_wall_thread *threads; /* sorted by tid */
    size_t thread_count;
    struct ph_wall_change *changes; /* of this round; room for thread_count */
    size_t change_count;
    struct {
        pid_t tid;
        int ticket;
        int64_t since_ns;
    } asked[PH_WALL_ASKED_MAX];
    size_t asked_count;
    uint64_t unanswered_count, unseen_count; /* samples without a stack */
};

/** ph_wall_scan() - the threads there are now; time of those that are new begins at @begin_ns. 0; -ENOMEM; the errno of /proc. */
int ph_wall_scan(struct ph_wall *wall, int64_t begin_ns, struct ph_error *error);

void ph_wall_look(struct ph_wall *wall, struct ph_wall_thread *thread);

/** ph_wall_take_stacks() - waits for answers until @until_ns at most; those that are not there by then may come in a later round. */
void ph_wall_take_stacks(struct ph_wall *wall, int64_t until_ns);

/** ph_wall_settle() - the time up to the end, by what each thread was seen with last; nobody is asked any more. */
void ph_wall_settle(struct ph_wall *wall);

#endif
