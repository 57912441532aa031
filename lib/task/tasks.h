/*
 * tasks.h - the threads of the host as the kernel lists them (/proc/self/task), with what the probe's registry adds. Threads of
 * Porthole are left out; threads made by a raw clone() are in. One user at a time for each struct ph_tasks.
 */
#ifndef PH_TASK_TASKS_H
#define PH_TASK_TASKS_H

#include "base/error.h"
#include "elf/memory.h"
#include "probe/probe.h"

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PH_TASK_NAME_MAX 16

struct ph_task {
    pid_t tid;
    char name[PH_TASK_NAME_MAX];
    uint64_t stack_high;     /* exclusive end of its stack; 0 if unknown */
    uint64_t waits_since_ns; /* as in struct ph_thread, as is the rest */
    uintptr_t wait_frame;
    uint32_t label_set;
    uint32_t slot;       /* private, as is the rest: struct ph_thread, if is_recorded */
    bool is_recorded;    /* the registry knows it */
    bool is_named_twice; /* its name was read twice; threads name themselves soon after they begin */
};

/* What the kernel says of one thread at one moment. */
struct ph_task_look {
    bool is_blocked;       /* in a system call or page fault, not on a processor: what follows is valid */
    long call;             /* its number; -1: blocked, but not in one */
    uint64_t arguments[6]; /* valid if call >= 0 */
    uint64_t sp, pc;
    uint64_t
        switches; /* how often it was put on a processor (schedstat): unchanged: it has not run meanwhile; 0: not known */
    uint64_t cpu_ns;   /* that it has used since it began; 0: not known */
    bool is_of_caller; /* by the hook's note: sp, pc and bp are of the hook's caller, call is not known */
    uint64_t bp;       /* valid if is_of_caller */
    int switches_fd;   /* private: schedstat, open for the second look; 0: it is not */
};

struct ph_tasks {
    struct ph_task *tasks; /* sorted by tid */
    size_t count;
    const struct ph_probe *probe;
    bool is_nameless; /* in: names are not read; ph_task_state() tells them along with the state */

    /* Private: what is used again. */
    DIR *folder;
    size_t capacity;
    struct ph_task *spare;
    size_t spare_capacity;
    struct ph_thread *threads;
    struct ph_task_order *order;
    size_t thread_capacity;
};

/** ph_tasks_read() - now. Reads it again into the same structure if called again (zeroed for the first time); threads that were
 * there then keep their names. 0; -ENOMEM; the errno of opening /proc. */
int ph_tasks_read(struct ph_tasks *tasks, const struct ph_probe *probe, struct ph_error *error);
void ph_tasks_fini(struct ph_tasks *tasks);

/** ph_tasks_folder() - the descriptor of /proc/self/task; -1 if it was never read. */
int ph_tasks_folder(const struct ph_tasks *tasks);

/** ph_tasks_find() - the thread @tid; NULL if it is not there. */
const struct ph_task *ph_tasks_find(const struct ph_tasks *tasks, pid_t tid);

/** ph_tasks_note() - the thread @tid with what the registry says of it now; NULL if it is not there or one of ours. After a look and before the
 * stack is taken: so the hook's note is of the wait that was looked at, if the thread has not run when it is looked at again. */
const struct ph_task *ph_tasks_note(struct ph_tasks *tasks, pid_t tid);

/**
 * ph_task_look() - 0; -ESRCH: it has ended; -EACCES: the kernel does not tell (dumpable 0 and not root). Some 5 us.
 * @folder, here and below: ph_tasks_folder(), or -1.
 * ph_task_look_done() - a look that says is_blocked holds a descriptor, for ph_task_look_again() to be quick: close it.
 */
int ph_task_look(int folder, pid_t tid, struct ph_task_look *ret_look);
void ph_task_look_done(struct ph_task_look *look);

/** ph_task_look_light() - without where it is blocked, which ph_task_look_noted() may find: by the state letter. 0; -ESRCH. */
int ph_task_look_light(int folder, pid_t tid, struct ph_task_look *ret_look);

/**
 * ph_task_look_noted() - where ph_task_look() says -EACCES, as in servers that were root and are not any more: complete the @look of
 * ph_task_look_light() by the hook's note, which must be younger (ph_tasks_note()). False: it is in no call that is hooked.
 */
bool ph_task_look_noted(const struct ph_memory *memory, const struct ph_task *task, struct ph_task_look *look);

/** ph_task_look_again() - 0: it has not run since @look; -EAGAIN: it has; -ESRCH. */
int ph_task_look_again(int folder, pid_t tid, const struct ph_task_look *look);

/** ph_task_look_parse() - the text of /proc/PID/task/TID/syscall. False, with nothing written, if it is none. */
bool ph_task_look_parse(const char *text, size_t size_bytes, struct ph_task_look *ret_look);

/** ph_task_state() - the state letter, and the name if @ret_name is not NULL (PH_TASK_NAME_MAX bytes). 0; -ESRCH; -errno. */
int ph_task_state(int folder, pid_t tid, char *ret_state, char *ret_name);

/** ph_task_times() - the state letter of /proc/PID/task/TID/stat and the CPU time used. 0; -ESRCH; -errno. */
int ph_task_times(int folder, pid_t tid, char *ret_state, uint64_t *ret_cpu_ns);

#endif
