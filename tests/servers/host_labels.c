/*
 * host_labels.c - a server that labels what it does, and can be forked. Not linked with the library.
 *
 *   host_labels PORT
 *
 * Commands: pid; label KEY VALUE; clear [KEY]; hold MEGABYTES; scope MEGABYTES (held with handler=/scope); burn
 * MILLISECONDS (of CPU time, with stage=burn); fork PORT (a child that
 * serves there). All memory comes from one line of code: only labels tell it apart.
 */
#define PORTHOLE_WEAK
#include "porthole/porthole.h"

#include "lines.c"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BLOCK_BYTES (32 << 10)

/* The asm keeps the call from becoming a jump, which has no frame. */
__attribute__((noinline)) static void hold_memory(int megabytes)
{
    for (int i = 0; i < megabytes << 20; i += BLOCK_BYTES) {
        void *memory = malloc(BLOCK_BYTES);
        __asm__ volatile("" : "+r"(memory));
    }
}

static void say_pid(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    (void)argument;
    snprintf(answer, LINES_MAX, "%d", (int)getpid());
}

static void label(struct lines_server *server, const char *argument, char *answer)
{
    char key[100], value[200];
    (void)server;
    int count = sscanf(argument, "%99s %199s", key, value);
    snprintf(answer, LINES_MAX, "%d", count == 2 ? porthole_label_set(key, value) : 1);
}

static void clear(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    porthole_label_clear(argument[0] ? argument : NULL);
    strcpy(answer, "cleared");
}

static void hold(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    hold_memory(atoi(argument));
    strcpy(answer, "held");
}

static void scope(struct lines_server *server, const char *argument, char *answer)
{
    PORTHOLE_LABEL("handler", "/scope");
    hold(server, argument, answer);
}

__attribute__((noinline)) static void burn_cpu(int milliseconds)
{
    clock_t end = clock() + milliseconds * (CLOCKS_PER_SEC / 1000);
    while (clock() < end)
        for (volatile int i = 0; i < 100000; i++)
            continue;
}

static void burn(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    PORTHOLE_LABEL("stage", "burn");
    burn_cpu(atoi(argument));
    strcpy(answer, "burnt");
}

static void fork_child(struct lines_server *server, const char *argument, char *answer);

static const struct lines_command commands[] = {{"pid", say_pid},     {"label", label}, {"clear", clear},
                                                {"hold", hold},       {"scope", scope}, {"burn", burn},
                                                {"fork", fork_child}, {NULL, NULL}};

static void fork_child(struct lines_server *server, const char *argument, char *answer)
{
    struct lines_server child = {.listener = lines_listen(atoi(argument))};
    pid_t pid = fork();
    if (pid == 0) {
        close(server->listener);
        close(server->connection);
        lines_serve(&child, commands);
    }
    close(child.listener);
    snprintf(answer, LINES_MAX, "%d", (int)pid);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    struct lines_server server = {.listener = lines_listen(atoi(argv[1]))};
    lines_serve(&server, commands);
}
