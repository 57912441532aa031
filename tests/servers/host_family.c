/*
 * host_family.c - a parent that holds 100 MB and forks workers which inherit them and hold some of their own.
 *
 *   host_family PORT WORKERS      the parent is asked at PORT, the workers at PORT + 1 and on
 *
 * Commands: pid; release (what was held before the fork); hold MEGABYTES (of its own); load FILE (a module with
 * plugin_hold(), which then holds a megabyte); exec FILE ARGUMENT.
 */
#include "lines.c"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHARED_BYTES (100 << 20)
#define BLOCK_BYTES  (32 << 10)

struct block {
    struct block *next;
};

static struct block *shared, *own;

/* The names that profiles must show; the asm keeps the call from becoming a jump, which has no frame, and the functions from
 * becoming one. */
#define HOLDER(name)                                                                                               \
    __attribute__((noinline)) static struct block *name(void)                                                      \
    {                                                                                                              \
        void *memory = malloc(BLOCK_BYTES);                                                                        \
        __asm__ volatile("# " #name : "+r"(memory));                                                               \
        return memory;                                                                                             \
    }
HOLDER(hold_shared)
HOLDER(hold_own)

static struct block *fill(struct block *list, struct block *(*allocate)(void), size_t bytes)
{
    for (size_t held = 0; held < bytes; held += BLOCK_BYTES) {
        struct block *block = allocate();
        block->next = list;
        list = block;
    }
    return list;
}

static void say_pid(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    (void)argument;
    snprintf(answer, LINES_MAX, "%d", (int)getpid());
}

static void hold(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    own = fill(own, hold_own, (size_t)atoi(argument) << 20);
    strcpy(answer, "held");
}

static void release(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    (void)argument;
    while (shared) {
        struct block *block = shared;
        shared = block->next;
        free(block);
    }
    strcpy(answer, "released");
}

static void load(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    void *module = dlopen(argument, RTLD_NOW);
    void (*plugin_hold)(void);
    *(void **)&plugin_hold = module ? dlsym(module, "plugin_hold") : NULL;
    if (plugin_hold)
        plugin_hold();
    strcpy(answer, plugin_hold ? "loaded" : dlerror());
}

static void exec(struct lines_server *server, const char *argument, char *answer)
{
    char file[LINES_MAX], text[LINES_MAX];
    (void)server;
    if (sscanf(argument, "%4000s %4000s", file, text) == 2)
        execl(file, file, text, (char *)NULL);
    strcpy(answer, "not started");
}

static const struct lines_command commands[] = {{"pid", say_pid}, {"hold", hold}, {"release", release},
                                                {"load", load},   {"exec", exec}, {NULL, NULL}};

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    int port = atoi(argv[1]), workers = atoi(argv[2]);
    struct lines_server server = {.listener = lines_listen(port)};
    shared = fill(shared, hold_shared, SHARED_BYTES);
    for (int i = 1; i <= workers; i++) {
        struct lines_server worker = {.listener = lines_listen(port + i)};
        pid_t pid = fork();
        if (pid == 0) {
            close(server.listener);
            lines_serve(&worker, commands);
        }
        if (pid < 0)
            err(1, "fork");
        close(worker.listener);
    }
    lines_serve(&server, commands);
}
