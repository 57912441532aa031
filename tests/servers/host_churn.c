/*
 * host_churn.c - a server with a thread that does nothing but allocate, give back and grow memory, each in a function of its own.
 *
 *   host_churn PORT      no commands
 */
#include "lines.c"

#include <err.h>
#include <pthread.h>
#include <stdlib.h>

#define PIECES 2000
#define ROUNDS 20

static void *pieces[PIECES];

/* Of many sizes, so that what the allocator keeps for a thread runs out now and then. */
__attribute__((noinline)) void takes_memory(void)
{
    for (size_t i = 0; i < PIECES; i++)
        pieces[i] = malloc(16 + i % 700);
    __asm__ volatile("" : : : "memory");
}

__attribute__((noinline)) void gives_back(void)
{
    for (size_t i = 0; i < PIECES; i++)
        free(pieces[i]);
    __asm__ volatile("" : : : "memory");
}

__attribute__((noinline)) void grows_memory(void)
{
    void *piece = NULL;
    for (size_t bytes = 64; bytes < 65536; bytes += bytes / 4)
        piece = realloc(piece, bytes);
    free(piece);
    __asm__ volatile("" : : : "memory");
}

static void *churn(void *unused)
{
    (void)unused;
    for (;;) {
        takes_memory();
        gives_back();
        for (int i = 0; i < ROUNDS; i++)
            grows_memory();
    }
    return NULL;
}

static const struct lines_command commands[] = {{NULL, NULL}};

int main(int argc, char **argv)
{
    struct lines_server server = {.fork_each = false};
    pthread_t thread;
    if (argc < 2)
        errx(2, "usage: host_churn PORT");
    server.listener = lines_listen(atoi(argv[1]));
    if (pthread_create(&thread, NULL, churn, NULL) != 0)
        errx(1, "no thread");
    lines_serve(&server, commands);
}
