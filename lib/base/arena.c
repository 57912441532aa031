#include "base/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)64 * 1024)

struct ph_arena_block {
    struct ph_arena_block *older;
    alignas(max_align_t) char data[];
};

static size_t aligned(size_t size_bytes)
{
    return (size_bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

/* A piece too large for a block gets one of its own, behind the newest, so that the newest keeps its free part. */
static void *add_block(struct ph_arena *arena, size_t size_bytes)
{
    bool own = size_bytes > BLOCK_BYTES / 4;
    size_t data_bytes = own ? size_bytes : BLOCK_BYTES;
    struct ph_arena_block *block = malloc(sizeof(*block) + data_bytes);
    if (!block)
        return NULL;
    if (own && arena->blocks) {
        block->older = arena->blocks->older;
        arena->blocks->older = block;
        return block->data;
    }
    block->older = arena->blocks;
    arena->blocks = block;
    arena->next = block->data + size_bytes;
    arena->end = block->data + data_bytes;
    return block->data;
}

void *ph_arena_alloc(struct ph_arena *arena, size_t size_bytes)
{
    if (size_bytes > SIZE_MAX / 2)
        return NULL;
    size_bytes = aligned(size_bytes ? size_bytes : 1);
    if ((size_t)(arena->end - arena->next) < size_bytes)
        return add_block(arena, size_bytes);
    void *piece = arena->next;
    arena->next += size_bytes;
    return piece;
}

char *ph_arena_copy(struct ph_arena *arena, const void *bytes, size_t size_bytes)
{
    char *copy = size_bytes < SIZE_MAX ? ph_arena_alloc(arena, size_bytes + 1) : NULL;
    if (!copy)
        return NULL;
    if (size_bytes)
        memcpy(copy, bytes, size_bytes);
    copy[size_bytes] = '\0';
    return copy;
}

void ph_arena_fini(struct ph_arena *arena)
{
    struct ph_arena_block *block = arena->blocks;
    while (block) {
        struct ph_arena_block *older = block->older;
        free(block);
        block = older;
    }
    *arena = (struct ph_arena)PH_ARENA_INIT;
}
