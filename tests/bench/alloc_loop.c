/*
 * alloc_loop.c - what one allocation, or one thread, costs.
 *
 *     alloc_loop malloc COUNT     malloc() and free() of mixed sizes, 1,024 objects alive, 20 frames deep
 *     alloc_loop thread COUNT     pthread_create() and pthread_join(), 20 frames deep; each thread allocates once
 *
 * Prints the CPU time of one in nanoseconds. The same sequence of sizes on every machine.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LIVE_OBJECTS 1024
#define FRAMES       20

static uint64_t state = 88172645463325252;

/* xorshift64 (Marsaglia, 2003). */
static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Three in four up to 256 bytes, the others up to 4 KiB; one in 256 up to 64 KiB. */
static size_t next_size(void)
{
    uint64_t bits = next_random();
    if (bits % 256 == 0)
        return 1 + (bits >> 8) % 65536;
    return 1 + (bits >> 8) % (bits % 4 == 1 ? 4096 : 256);
}

static int loop_malloc(long count)
{
    static void *objects[LIVE_OBJECTS];
    for (long i = 0; i < count; i++) {
        void **object = &objects[i % LIVE_OBJECTS];
        free(*object);
        *object = malloc(next_size());
        if (!*object)
            return -1;
        **(volatile char **)object = 1;
    }
    return 0;
}

/* One allocation: what an allocator sets up for a thread belongs to the thread's cost. */
static void *allocate_once(void *argument)
{
    void *volatile object = malloc(100);
    free(object);
    return argument;
}

static int loop_thread(long count)
{
    for (long i = 0; i < count; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, allocate_once, NULL) != 0 || pthread_join(thread, NULL) != 0)
            return -1;
    }
    return 0;
}

/* A sample's cost grows with the depth of the stack: real programs do not allocate in main(). */
static __attribute__((noinline)) int go_down(int (*loop)(long), long count, int frames)
{
    int result = frames > 0 ? go_down(loop, count, frames - 1) : loop(count);
    __asm__ volatile("" ::: "memory");
    return result;
}

static double cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

int main(int argc, char **argv)
{
    long count = argc == 3 ? atol(argv[2]) : 0;
    if (count < 1 || (strcmp(argv[1], "malloc") != 0 && strcmp(argv[1], "thread") != 0)) {
        fprintf(stderr, "usage: alloc_loop malloc|thread COUNT\n");
        return 2;
    }
    int (*loop)(long) = argv[1][0] == 'm' ? loop_malloc : loop_thread;
    if (loop(1 + count / 10) < 0) /* warm */
        return 1;
    double before_ns = cpu_ns();
    if (go_down(loop, count, FRAMES) < 0)
        return 1;
    printf("%.2f\n", (cpu_ns() - before_ns) / (double)count);
    return 0;
}
