/*
 * host_threads.c - a server with as many blocked threads as asked for, each some frames deep: input for thread dumps.
 *
 *     host_threads COUNT FRAMES
 *
 * It listens on a port (so Porthole opens its endpoint), prints "ready", and then reads commands, one a line:
 *
 *     interrupted    answers how many calls of its threads have ended with EINTR so far
 */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define STACK_BYTES ((size_t)128 << 10)
#define OUTER                                                                                                      \
    6 /* frames that are not descend()'s: sem_wait() and its inner ones, body(), start_thread(), clone() */

static sem_t semaphore;
static _Atomic long interrupted_count, waiting_count;
static unsigned depth;

/* Each level keeps something on its stack, as functions do. */
__attribute__((noinline)) static unsigned descend(unsigned level)
{
    volatile unsigned kept[16];
    kept[level % 16] = level;
    if (level > 0)
        return descend(level - 1) + kept[level % 16];
    waiting_count++;
    while (sem_wait(&semaphore) < 0 && errno == EINTR)
        interrupted_count++;
    return kept[0];
}

static void *body(void *argument)
{
    descend(depth);
    return argument;
}

static void start_threads(long count)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    for (long i = 0; i < count; i++) {
        pthread_t thread;
        if (pthread_create(&thread, &attributes, body, NULL) != 0)
            abort();
    }
    while (waiting_count < count)
        sched_yield();
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char line[64];
    if (argc != 3)
        return 2;
    depth = (unsigned)strtoul(argv[2], NULL, 10);
    depth = depth > OUTER ? depth - OUTER : 0;
    sem_init(&semaphore, 0, 0);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1) < 0)
        return 1;
    start_threads(strtol(argv[1], NULL, 10));
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin)) {
        if (strcmp(line, "interrupted\n") == 0)
            printf("%ld\n", interrupted_count);
        fflush(stdout);
    }
    return 0;
}
