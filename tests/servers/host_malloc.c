/*
 * host_malloc.c - a server whose executable brings a malloc() of its own, as those linked to a static tcmalloc or
 * mimalloc do: the loader takes the executable's before any library's, preloaded or not.
 *
 *   host_malloc PORT     commands: keep BYTES
 */
#include "lines.c"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES (256 << 20)
#define HEADER      16

static _Alignas(16) unsigned char arena[ARENA_BYTES];
static size_t used_bytes; /* atomic; nothing is ever given back */

/* Each piece is behind its size. */
static void *take(size_t alignment, size_t size)
{
    size_t start = __atomic_fetch_add(&used_bytes, size + alignment + HEADER, __ATOMIC_RELAXED);
    if (start + size + alignment + HEADER > ARENA_BYTES)
        return NULL;
    uintptr_t piece = ((uintptr_t)arena + start + HEADER + alignment - 1) & ~(uintptr_t)(alignment - 1);
    memcpy((void *)(piece - HEADER), &size, sizeof(size));
    return (void *)piece;
}

static size_t size_of(void *piece)
{
    size_t size;
    memcpy(&size, (unsigned char *)piece - HEADER, sizeof(size));
    return size;
}

void *malloc(size_t size)
{
    return take(16, size);
}

void free(void *piece)
{
    (void)piece;
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? NULL : take(16, bytes); /* fresh pages are zero */
}

void *realloc(void *piece, size_t size)
{
    void *larger = take(16, size);
    if (piece && larger)
        memcpy(larger, piece, size_of(piece) < size ? size_of(piece) : size);
    return larger;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return take(alignment, size);
}

void *memalign(size_t alignment, size_t size)
{
    return take(alignment, size);
}

int posix_memalign(void **ret_piece, size_t alignment, size_t size)
{
    void *piece = take(alignment, size);
    if (piece)
        *ret_piece = piece;
    return piece ? 0 : 12;
}

size_t malloc_usable_size(void *piece)
{
    return piece ? size_of(piece) : 0;
}

static void keep_memory(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    void *piece = malloc(strtoul(argument, NULL, 10));
    bool inside = (unsigned char *)piece >= arena && (unsigned char *)piece < arena + ARENA_BYTES;
    snprintf(answer, LINES_MAX, "%s", inside ? "kept in its own arena" : "kept elsewhere");
}

static const struct lines_command commands[] = {{"keep", keep_memory}, {NULL, NULL}};

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    struct lines_server server = {.listener = lines_listen(atoi(argv[1]))};
    lines_serve(&server, commands);
}
