/* paths.h - memory that is held by as many call paths as one asks for. */
#ifndef PATHS_H
#define PATHS_H

#include <stdlib.h>

/* Sixteen deep, a choice of two functions at each depth: the bits of @path choose. */
__attribute__((noinline)) static void *path_left(unsigned path, int depth);
__attribute__((noinline)) static void *path_right(unsigned path, int depth);

static void *path_on(unsigned path, int depth)
{
    return depth == 0 ? malloc(1000)
           : path & 1 ? path_left(path >> 1, depth - 1)
                      : path_right(path >> 1, depth - 1);
}

static void *path_left(unsigned path, int depth)
{
    void *memory = path_on(path, depth);
    __asm__ volatile("" : "+r"(memory)); /* no tail call: the frame must be there */
    return memory;
}

static void *path_right(unsigned path, int depth)
{
    void *memory = path_on(path, depth);
    __asm__ volatile("" : "+r"(memory));
    return memory;
}

/* Returns how many were held. */
static int hold_by_paths(int count)
{
    static void *volatile held[65536];
    int done = 0;
    while (done < count && done < 65536 && (held[done] = path_on((unsigned)done, 16)))
        done++;
    return done;
}

#endif
