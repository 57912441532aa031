/*
 * host_stress.c - threads that allocate in every way there is, free what others allocated, come and go. Every block
 * is filled and checked; the sum printed at the end depends only on the arguments.
 *
 *   host_stress PORT ROUNDS     listens on PORT meanwhile
 */
#include "lines.c"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREAD_COUNT     8
#define SLOT_COUNT       512
#define STEPS_PER_THREAD 20000
#define SIZE_MAX_BYTES   20000

struct block {
    size_t size;
    unsigned char bytes[];
};

static _Atomic(struct block *) slots[SLOT_COUNT];
static atomic_ullong checksum;
static atomic_int damaged;

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* A block from one of the ways to get memory. */
static struct block *allocate(uint32_t way, size_t size)
{
    void *memory = NULL;
    switch (way % 6) {
    case 0:
        return malloc(size);
    case 1:
        return calloc(1, size);
    case 2:
        return realloc(malloc(size / 2), size);
    case 3:
        return posix_memalign(&memory, 64, size) == 0 ? memory : NULL;
    case 4:
        return aligned_alloc(4096, (size + 4095) & ~(size_t)4095);
    default:
        return memalign(256, size);
    }
}

static void release(struct block *block)
{
    if (!block)
        return;
    unsigned char expected = (unsigned char)block->size;
    size_t count = block->size - sizeof(*block);
    if (malloc_usable_size(block) < block->size || block->bytes[0] != expected ||
        block->bytes[count - 1] != expected)
        atomic_store(&damaged, 1);
    free(block);
}

static void *work(void *argument)
{
    uint32_t state = (uint32_t)(uintptr_t)argument;
    unsigned long long sum = 0;
    for (int i = 0; i < STEPS_PER_THREAD; i++) {
        size_t size = sizeof(struct block) + 1 + next_random(&state) % SIZE_MAX_BYTES;
        struct block *block = allocate(next_random(&state), size);
        uint32_t slot = next_random(&state) % SLOT_COUNT;
        if (!block) {
            atomic_store(&damaged, 1);
            continue;
        }
        block->size = size;
        memset(block->bytes, (unsigned char)size, size - sizeof(*block));
        sum += size;
        release(atomic_exchange(&slots[slot], block));
    }
    atomic_fetch_add(&checksum, sum);
    return NULL;
}

static void run_round(int round)
{
    pthread_t threads[THREAD_COUNT];
    for (int i = 0; i < THREAD_COUNT; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)(round * THREAD_COUNT + i + 1)) != 0)
            abort();
    for (int i = 0; i < THREAD_COUNT; i++)
        pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    lines_listen(atoi(argv[1]));
    for (int round = 0; round < atoi(argv[2]); round++)
        run_round(round);
    for (int i = 0; i < SLOT_COUNT; i++)
        release(atomic_load(&slots[i]));
    printf("%s %llu\n", atomic_load(&damaged) ? "damaged" : "whole", (unsigned long long)atomic_load(&checksum));
    return atomic_load(&damaged);
}
