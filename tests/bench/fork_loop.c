/*
 * fork_loop.c - a server that forks, for what fork() and the children cost.
 *
 *   fork_loop PORT HEAP_BYTES CHILDREN     listens on PORT, holds HEAP_BYTES in blocks of 4,000, keeps CHILDREN that wait,
 *                                          also when it has gone
 *
 * Prints "ready". Then for each line read from standard input, "fork COUNT" or "wake COUNT", one line of so many figures, in
 * nanoseconds: what fork() takes, and what the first call takes that can wait, in a new child.
 */
#include <arpa/inet.h>
#include <err.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BLOCK_BYTES 4000

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void listen_on(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 16) < 0)
        err(1, "cannot listen on port %d", port);
}

static void hold(long heap_bytes)
{
    for (long done = 0; done < heap_bytes; done += BLOCK_BYTES) {
        char *volatile block = malloc(BLOCK_BYTES);
        if (block)
            memset(block, 1, BLOCK_BYTES);
    }
}

static void keep_children(int count)
{
    for (int i = 0; i < count; i++) {
        pid_t pid = fork();
        if (pid < 0)
            err(1, "fork");
        if (pid > 0)
            continue;
        for (;;)
            pause();
    }
}

static int64_t fork_ns(void)
{
    int64_t start_ns = now_ns();
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    int64_t taken_ns = now_ns() - start_ns;
    waitpid(pid, NULL, 0);
    return taken_ns;
}

/* Bytes are there, so the call itself takes no time. */
static int64_t wake_ns(void)
{
    int64_t taken_ns = -1;
    int full[2], result[2];
    if (pipe(full) < 0 || pipe(result) < 0 || write(full[1], "x", 1) != 1)
        err(1, "pipe");
    pid_t pid = fork();
    if (pid == 0) {
        char byte;
        int64_t start_ns = now_ns();
        ssize_t size = read(full[0], &byte, 1);
        taken_ns = now_ns() - start_ns;
        _exit(size == 1 && write(result[1], &taken_ns, sizeof(taken_ns)) == sizeof(taken_ns) ? 0 : 1);
    }
    waitpid(pid, NULL, 0);
    if (read(result[0], &taken_ns, sizeof(taken_ns)) != sizeof(taken_ns))
        err(1, "no result");
    for (int i = 0; i < 2; i++) {
        close(full[i]);
        close(result[i]);
    }
    return taken_ns;
}

int main(int argc, char **argv)
{
    char line[64];
    if (argc < 4)
        errx(2, "usage: fork_loop PORT HEAP_BYTES CHILDREN");
    hold(atol(argv[2]));
    listen_on(atoi(argv[1]));
    sleep(1); /* the window opens meanwhile: no child may come before */
    keep_children(atoi(argv[3]));
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin)) {
        int64_t (*measure)(void) = strncmp(line, "wake", 4) == 0 ? wake_ns : fork_ns;
        for (int i = atoi(line + 5); i > 0; i--)
            printf(i > 1 ? "%" PRId64 " " : "%" PRId64 "\n", measure());
        fflush(stdout);
    }
    return 0;
}
