/*
 * arena.h - memory that is released all at once: many small pieces, one free.
 *
 * One thread at a time. Pieces never move. The probe does not use it: it allocates.
 */
#ifndef PH_BASE_ARENA_H
#define PH_BASE_ARENA_H

#include <stddef.h>

struct ph_arena_block;

struct ph_arena {
    struct ph_arena_block *blocks; /* newest first */
    char *next, *end;              /* free part of the newest block */
};

#define PH_ARENA_INIT                                                                                              \
    {                                                                                                              \
        NULL, NULL, NULL                                                                                           \
    }

/** ph_arena_alloc() - @size_bytes, aligned for any type, not cleared. NULL if memory is out. */
void *ph_arena_alloc(struct ph_arena *arena, size_t size_bytes);

/** ph_arena_copy() - a copy of @size_bytes at @bytes, with a NUL behind it. NULL if memory is out. */
char *ph_arena_copy(struct ph_arena *arena, const void *bytes, size_t size_bytes);

/** ph_arena_fini() - release every piece; the arena is empty and usable again. */
void ph_arena_fini(struct ph_arena *arena);

#endif
