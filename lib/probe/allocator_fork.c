/*
 * allocator_fork.c - what jemalloc does around fork(), and when it need not.
 *
 * Issue: jemalloc takes all of its locks before a fork, 1,280 of them for sampling alone, and writes to each afterwards, in the
 * parent and in the child: 100 pages copied in either, which takes longer than the rest of the fork, and 0.4 MB more of each
 * worker's memory are its own.
 * Cause: some other thread might be inside the allocator.
 * Solution: where the forking thread is the only one of the host, and ours are parked (fork.h), nobody is. The linker sends
 * jemalloc's calls of its own handlers here (--wrap); the many locks, in arenas and sampling, are then left as they are.
 * Handlers that do more than locking (threads' lists, statistics) always run. Those of an arena also forget the caches of
 * threads that the child does not have: ours have none while parked.
 * Source: jemalloc 5.3.0, src/jemalloc.c, jemalloc_prefork() and what it calls.
 */
#include "probe/allocator.h"

#include <stdbool.h>

static bool alone; /* written by the only thread of the host */

void ph_allocator_before_fork(bool nobody_else)
{
    alone = nobody_else;
}

#define ARENA(name)                                                                                                \
    void __real_je_arena_##name(void *thread, void *arena);                                                        \
    void __wrap_je_arena_##name(void *thread, void *arena);                                                        \
    void __wrap_je_arena_##name(void *thread, void *arena)                                                         \
    {                                                                                                              \
        if (!alone)                                                                                                \
            __real_je_arena_##name(thread, arena);                                                                 \
    }

#define PROF(name)                                                                                                 \
    void __real_je_prof_##name(void *thread);                                                                      \
    void __wrap_je_prof_##name(void *thread);                                                                      \
    void __wrap_je_prof_##name(void *thread)                                                                       \
    {                                                                                                              \
        if (!alone)                                                                                                \
            __real_je_prof_##name(thread);                                                                         \
    }

/* Makefile.am names them to the linker. */
ARENA(prefork0)
ARENA(prefork1)
ARENA(prefork2)
ARENA(prefork3)
ARENA(prefork4)
ARENA(prefork5)
ARENA(prefork6)
ARENA(prefork7)
ARENA(prefork8)
ARENA(postfork_parent)
ARENA(postfork_child)
PROF(prefork0)
PROF(prefork1)
PROF(postfork_parent)
PROF(postfork_child)
