/*
 * host_heap.c - holds a known 200 MiB in four functions, a quarter in each, in four sizes that are size classes of
 * jemalloc, so that what is asked for is what is held.
 *
 *   host_heap PORT       commands: hold, release, churn
 */
#include "lines.c"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUARTER_BYTES (50 << 20)

struct block {
    struct block *next;
};

static struct block *held[4];

static struct block *fill(struct block *list, void *(*allocate)(void), size_t size)
{
    for (size_t bytes = 0; bytes < QUARTER_BYTES; bytes += size) {
        struct block *block = allocate();
        block->next = list;
        list = block;
    }
    return list;
}

/* The names that the profile must show; the empty asm keeps the call from becoming a jump, which has no frame. */
#define HOLDER(name, size)                                                                                         \
    __attribute__((noinline)) static void *name(void)                                                              \
    {                                                                                                              \
        void *memory = malloc(size);                                                                               \
        __asm__ volatile("" : "+r"(memory));                                                                       \
        return memory;                                                                                             \
    }
HOLDER(hold_64, 64)
HOLDER(hold_1k, 1 << 10)
HOLDER(hold_40k, 40 << 10)
HOLDER(hold_1m, 1 << 20)

static void hold(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    (void)argument;
    held[0] = fill(held[0], hold_64, 64);
    held[1] = fill(held[1], hold_1k, 1 << 10);
    held[2] = fill(held[2], hold_40k, 40 << 10);
    held[3] = fill(held[3], hold_1m, 1 << 20);
    strcpy(answer, "held");
}

static void release(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    (void)argument;
    for (int i = 0; i < 4; i++)
        while (held[i]) {
            struct block *block = held[i];
            held[i] = block->next;
            free(block);
        }
    strcpy(answer, "released");
}

/* Allocates and frees at once: seen by alloc_space only. */
static void churn(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    (void)argument;
    for (int i = 0; i < 50; i++)
        free(hold_1m());
    strcpy(answer, "churned");
}

static const struct lines_command commands[] = {
    {"hold", hold}, {"release", release}, {"churn", churn}, {NULL, NULL}};

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    struct lines_server server = {.listener = lines_listen(atoi(argv[1]))};
    lines_serve(&server, commands);
}
