/*
 * gen_heap_v2.c - writes a heap dump as jemalloc would, of any size, always the same: input for benchmarks.
 *
 *     gen_heap_v2 STACKS > dump
 *
 * Stacks are walks down a random call tree, 20 to 25 frames deep, so that they share their roots as real ones do.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SITES         30000 /* distinct return addresses */
#define MAIN_START    UINT64_C(0x55d0c1a00000)
#define LIBRARY_START UINT64_C(0x7f3a5c000000)
#define SEGMENT_BYTES UINT64_C(0x400000)
#define DEPTH_MIN     20
#define DEPTH_MAX     25

static uint64_t state = 88172645463325252;

/* xorshift64 (Marsaglia, 2003): the same on every machine. */
static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Sites 0 to SITES / 4 are in the program, the others in eight libraries. */
static uint64_t site_address(uint64_t site)
{
    uint64_t offset = site * 104729 % SEGMENT_BYTES;
    if (site < SITES / 4)
        return MAIN_START + offset;
    return LIBRARY_START + (site % 8) * 2 * SEGMENT_BYTES + offset;
}

struct stack {
    uint64_t addresses[DEPTH_MAX]; /* leaf first */
    int depth;
};

/* Little choice near the root and in the allocating wrappers at the leaf, much between. */
static uint64_t choices_at(int frame, int depth)
{
    return frame < 6 || frame >= depth - 3 ? 2 : 6;
}

static void make_stack(struct stack *stack)
{
    uint64_t site = 0;
    stack->depth = DEPTH_MIN + (int)(next_random() % (DEPTH_MAX - DEPTH_MIN + 1));
    for (int i = 0; i < stack->depth; i++) {
        uint64_t choice = next_random() % choices_at(i, stack->depth);
        if (i == stack->depth - 3)
            site = 0;
        site = (site * 31 + choice * 7919 + (uint64_t)i * 131) % SITES;
        stack->addresses[stack->depth - 1 - i] = site_address(site);
    }
}

/* jemalloc dumps in this order (prof_gctx_comp() in prof_data.c). */
static int by_addresses(const void *a, const void *b)
{
    const struct stack *x = a, *y = b;
    int shorter = x->depth < y->depth ? x->depth : y->depth;
    int difference = memcmp(x->addresses, y->addresses, (size_t)shorter * sizeof(x->addresses[0]));
    return difference ? difference : x->depth - y->depth;
}

static void write_block(const struct stack *stack)
{
    uint64_t objects = 1 + next_random() % 20;
    uint64_t bytes = objects * (16 + next_random() % 100000);
    uint64_t all = objects + next_random() % 50;
    uint64_t all_bytes = bytes / objects * all;
    putchar('@');
    for (int i = 0; i < stack->depth; i++)
        printf(" 0x%" PRIx64, stack->addresses[i]);
    printf("\n  t*: %" PRIu64 ": %" PRIu64 " [%" PRIu64 ": %" PRIu64 "]\n", objects, bytes, all, all_bytes);
    printf("  t%" PRIu64 ": %" PRIu64 ": %" PRIu64 " [%" PRIu64 ": %" PRIu64 "]\n", next_random() % 8, objects,
           bytes, all, all_bytes);
}

static int write_stacks(size_t count)
{
    struct stack *stacks = calloc(count, sizeof(*stacks));
    if (!stacks)
        return -1;
    for (size_t i = 0; i < count; i++)
        make_stack(&stacks[i]);
    qsort(stacks, count, sizeof(*stacks), by_addresses);
    for (size_t i = 0; i < count; i++)
        write_block(&stacks[i]);
    free(stacks);
    return 0;
}

static void write_maps(void)
{
    printf("\nMAPPED_LIBRARIES:\n");
    printf("%" PRIx64 "-%" PRIx64 " r-xp 00001000 08:01 131 /usr/sbin/server\n", MAIN_START,
           MAIN_START + SEGMENT_BYTES);
    for (uint64_t i = 0; i < 8; i++) {
        uint64_t start = LIBRARY_START + i * 2 * SEGMENT_BYTES;
        printf("%" PRIx64 "-%" PRIx64 " r-xp 00028000 08:01 %" PRIu64 "    /usr/lib/x86_64-linux-gnu/lib%" PRIu64
               ".so.1\n",
               start, start + SEGMENT_BYTES, 200 + i, i);
    }
}

int main(int argc, char **argv)
{
    long stacks = argc == 2 ? atol(argv[1]) : 0;
    if (stacks < 1) {
        fprintf(stderr, "usage: gen_heap_v2 STACKS > dump\n");
        return 2;
    }
    printf("heap_v2/524288\n  t*: 28106: 56637512 [0: 0]\n");
    for (int i = 0; i < 8; i++)
        printf("  t%d: 352: 16777344 [0: 0] worker %d\n", i, i);
    if (write_stacks((size_t)stacks) < 0)
        return 1;
    write_maps();
    return fflush(stdout) != 0;
}
