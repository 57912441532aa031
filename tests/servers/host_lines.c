/*
 * host_lines.c - a server that does on request what servers do and preloaded libraries break on.
 *
 *   host_lines PORT [fork | daemon PIDFILE | late-daemon PIDFILE | inherit FD]
 */
#include "lines.c"

#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FD_COUNT 1024

extern char **environ;
static char *const *arguments;

static void echo(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    snprintf(answer, LINES_MAX, "%.4000s", argument);
}

static void *kept[4096];
static int kept_count;

/* Memory that stays, in a function with a name. */
__attribute__((noinline)) static void keep_memory(struct lines_server *server, const char *argument, char *answer)
{
    size_t size = strtoul(argument, NULL, 10);
    (void)server;
    void *memory = kept_count < 4096 ? malloc(size) : NULL;
    if (memory) {
        memset(memory, 1, size);
        kept[kept_count++] = memory;
    }
    snprintf(answer, LINES_MAX, "%s", memory ? "kept" : "no memory");
}

static void release_memory(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    (void)argument;
    snprintf(answer, LINES_MAX, "%d released", kept_count);
    while (kept_count > 0)
        free(kept[--kept_count]);
}

static bool is_spared(const struct lines_server *server, int fd)
{
    return fd == server->listener || fd == server->connection;
}

/* What daemons do at start: close everything, and count what was there. */
static void close_all(struct lines_server *server, const char *argument, char *answer)
{
    int closed = 0;
    (void)argument;
    for (int fd = 3; fd < FD_COUNT; fd++)
        if (!is_spared(server, fd) && close(fd) == 0)
            closed++;
    snprintf(answer, LINES_MAX, "%d closed", closed);
}

static void close_by_range(struct lines_server *server, const char *argument, char *answer)
{
    int low = server->listener < server->connection ? server->listener : server->connection;
    int high = server->listener + server->connection - low;
    int status = 0;
    (void)argument;
    if (low > 3)
        status |= close_range(3, (unsigned)low - 1, 0);
    if (high > low + 1)
        status |= close_range((unsigned)low + 1, (unsigned)high - 1, 0);
    status |= close_range((unsigned)high + 1, ~0U, 0);
    snprintf(answer, LINES_MAX, "%d", status);
}

static void close_from(struct lines_server *server, const char *argument, char *answer)
{
    int high = server->listener > server->connection ? server->listener : server->connection;
    (void)argument;
    closefrom(high + 1);
    snprintf(answer, LINES_MAX, "done");
}

/* A file onto every number, one after the other: each dup2() must work, and what is there must be that file. */
static void dup2_all(struct lines_server *server, const char *argument, char *answer)
{
    int replaced = 0, closed = 0;
    int file = open("/dev/null", O_WRONLY | O_CLOEXEC);
    (void)argument;
    for (int fd = 3; fd < FD_COUNT; fd++) {
        if (is_spared(server, fd) || fd == file)
            continue;
        replaced += dup2(file, fd) == fd && write(fd, "x", 1) == 1;
        closed += close(fd) == 0;
    }
    close(file);
    snprintf(answer, LINES_MAX, "%d replaced, %d closed", replaced, closed);
}

/* The numbers that open() hands out must not depend on who else is in the process. */
static void next_fd(struct lines_server *server, const char *argument, char *answer)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    (void)server;
    (void)argument;
    snprintf(answer, LINES_MAX, "%d", fd);
    close(fd);
}

static int filled[FD_COUNT];
static int filled_count;

/* Takes every descriptor that the limit leaves. */
static void fill_fds(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    (void)argument;
    while (filled_count < FD_COUNT && (filled[filled_count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        filled_count++;
    snprintf(answer, LINES_MAX, "%d taken", filled_count);
}

static void drop_fds(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    (void)argument;
    snprintf(answer, LINES_MAX, "%d dropped", filled_count);
    while (filled_count > 0)
        close(filled[--filled_count]);
}

static void by_system(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    snprintf(answer, LINES_MAX, "%d", system(argument));
}

static void by_popen(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    FILE *pipe = popen(argument, "r");
    if (!pipe || !fgets(answer, LINES_MAX, pipe))
        strcpy(answer, "nothing");
    answer[strcspn(answer, "\n")] = '\0';
    int status = pipe ? pclose(pipe) : -1;
    snprintf(answer + strlen(answer), 32, " %d", status);
}

static void by_vfork(struct lines_server *server, const char *argument, char *answer)
{
    int status = -1;
    (void)server;
    pid_t child = vfork();
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", argument, (char *)NULL);
        _exit(127);
    }
    waitpid(child, &status, 0);
    snprintf(answer, LINES_MAX, "%d", status);
}

static void by_spawn(struct lines_server *server, const char *argument, char *answer)
{
    char *const command[] = {"sh", "-c", (char *)argument, NULL};
    int status = -1;
    pid_t child;
    (void)server;
    if (posix_spawn(&child, "/bin/sh", NULL, NULL, command, environ) == 0)
        waitpid(child, &status, 0);
    snprintf(answer, LINES_MAX, "%d", status);
}

static void *use_memory(void *unused)
{
    (void)unused;
    for (int i = 1; i < 1000; i++) {
        char *volatile memory = malloc((size_t)i * 17);
        memory[0] = 1;
        free(memory);
    }
    return NULL;
}

static int use_threads(int count)
{
    pthread_t thread;
    int joined = 0;
    for (int i = 0; i < count; i++)
        if (pthread_create(&thread, NULL, use_memory, NULL) == 0 && pthread_join(thread, NULL) == 0)
            joined++;
    return joined;
}

static void threads(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    snprintf(answer, LINES_MAX, "%d joined", use_threads(atoi(argument)));
}

/* A forked child that goes on working: memory, threads, files, a listening socket of its own. */
static void by_fork(struct lines_server *server, const char *argument, char *answer)
{
    int status = -1;
    (void)server;
    (void)argument;
    pid_t child = fork();
    if (child == 0) {
        use_memory(NULL);
        int joined = use_threads(4);
        int listener = socket(AF_INET, SOCK_STREAM, 0);
        int listening = listen(listener, 1);
        exit(joined == 4 && listening == 0 ? 42 : 1);
    }
    waitpid(child, &status, 0);
    snprintf(answer, LINES_MAX, "%d", WEXITSTATUS(status));
}

/* The program again, in the same process. */
static void exec_self(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    (void)argument;
    execv("/proc/self/exe", arguments);
    snprintf(answer, LINES_MAX, "not replaced");
}

static const struct lines_command commands[] = {
    {"echo", echo},
    {"keep", keep_memory},
    {"release", release_memory},
    {"close-all", close_all},
    {"close-range", close_by_range},
    {"closefrom", close_from},
    {"dup2-all", dup2_all},
    {"next-fd", next_fd},
    {"system", by_system},
    {"popen", by_popen},
    {"vfork", by_vfork},
    {"spawn", by_spawn},
    {"threads", threads},
    {"fork", by_fork},
    {"fill-fds", fill_fds},
    {"drop-fds", drop_fds},
    {"exec", exec_self},
    {NULL, NULL},
};

static void become_daemon(const char *pid_path)
{
    if (daemon(0, 0) < 0)
        err(1, "daemon");
    FILE *file = fopen(pid_path, "we");
    if (!file || fprintf(file, "%d\n", (int)getpid()) < 0 || fclose(file) != 0)
        err(1, "%s", pid_path);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 2 ? argv[2] : "";
    struct lines_server server = {.fork_each = strcmp(mode, "fork") == 0};
    arguments = argv;
    if (argc < 2)
        errx(2, "usage: host_lines PORT [fork | daemon PIDFILE | late-daemon PIDFILE | inherit FD]");
    if (strcmp(mode, "daemon") == 0)
        become_daemon(argv[3]);
    server.listener = strcmp(mode, "inherit") == 0 ? atoi(argv[3]) : lines_listen(atoi(argv[1]));
    if (strcmp(mode, "late-daemon") == 0)
        become_daemon(argv[3]);
    lines_serve(&server, commands);
}
