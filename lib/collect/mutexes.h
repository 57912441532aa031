/*
 * mutexes.h - which pthread mutex a thread waits for, and who holds it.
 *
 * A futex alone tells neither: it is a mutex if glibc's functions of mutexes are the innermost frames. Then the layout of
 * pthread_mutex_t tells its owner. Locks of other makers (Go, Rust's own, absl) have none that could be read. Any thread.
 */
#ifndef PH_COLLECT_MUTEXES_H
#define PH_COLLECT_MUTEXES_H

#include "elf/memory.h"
#include "elf/modules.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ph_mutex_wait {
    uint64_t futex; /* in: the address that is waited for */
    bool is_lock;   /* in: as in wait_call.h, both */
    bool is_mutex_at_all;
    const uint64_t *frames; /* in: frame_count addresses, leaf first, in the form that is looked up */
    size_t frame_count;
    size_t place;   /* the caller's */
    uint64_t mutex; /* out: its address; 0: it is none */
    pid_t
        owner; /* out: as the mutex says; 0: it says nothing sane. The caller knows whether it is one of its threads */
};

/** ph_mutexes_find() - 0; -ENOMEM. Some ms if there is a wait that could be for one: libc's symbols are read. */
int ph_mutexes_find(const struct ph_modules *modules, const struct ph_memory *memory, struct ph_mutex_wait *waits,
                    size_t count);

/** ph_mutex_owner() - read as of now. 0: nothing sane. */
pid_t ph_mutex_owner(const struct ph_memory *memory, uint64_t mutex);

#endif
