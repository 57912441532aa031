/*
 * embed.c - a program that opens its own window, instead of being started under `porthole run`.
 *
 *   cc -g -o embed embed.c $(pkg-config --cflags --libs porthole)
 *   ./embed heap.pb.gz && go tool pprof -top heap.pb.gz
 *
 * Linked first, the library also serves malloc() for the program, so that the heap can be sampled.
 */
#include <porthole/porthole.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ORDER_COUNT 20000

/* Something to be seen: 20,000 orders of 1 KiB. */
__attribute__((noinline)) static char *order_new(int number)
{
    char *order = malloc(1024);
    if (order)
        snprintf(order, 1024, "order %d", number);
    return order;
}

static int write_profile(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        perror(path);
        return -1;
    }
    int result = porthole_heap_profile_write(fd);
    if (result < 0)
        fprintf(stderr, "no heap profile: %s\n", strerror(-result));
    close(fd);
    return result;
}

int main(int argc, char **argv)
{
    static char *orders[ORDER_COUNT];

    /* The endpoint, as in PORTHOLE_LISTEN; NULL instead of the options takes everything from the environment. */
    struct porthole_options options = {.listen = "127.0.0.1:6060"};
    int result = porthole_init(&options);
    if (result < 0)
        fprintf(stderr, "no endpoint: %s\n", strerror(-result));

    for (int i = 0; i < ORDER_COUNT; i++)
        orders[i] = order_new(i);

    /* A profile straight to a file: this needs no endpoint. */
    if (argc > 1 && write_profile(argv[1]) < 0)
        return 1;
    printf("porthole %s: press Enter to end\n", porthole_version());
    fflush(stdout);
    getchar();

    porthole_shutdown();
    for (int i = 0; i < ORDER_COUNT; i++)
        free(orders[i]);
    return 0;
}
