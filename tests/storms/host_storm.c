/*
 * host_storm.c - a server that on request forks, or makes threads, faster than any server does, and counts what came of it.
 *
 *   host_storm PORT
 *
 *   forks COUNT RATE SECONDS   at most RATE a second, for at most SECONDS; children end in every way there is (below)
 *   threads COUNT              made, used and joined, eight at a time
 *   fork-time COUNT            the longest and the sum of the times that fork() takes, in microseconds; children end at once
 *   grow COUNT                 memory held by so many call paths, so that a heap dump takes its time
 */
#include "lines.c"

#include "child_ends.h"
#include "paths.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#define CHILDREN_MAX 64
#define NS_PER_S     INT64_C(1000000000)

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* ---- Forks ------------------------------------------------------------------------------------------------------- */

static struct {
    pid_t pid;
    const struct child_end *end;
} children[CHILDREN_MAX];
static int child_count, forked, wrong;

/* One child that has ended; false if there is none (yet). */
static bool reap(int flags)
{
    int status;
    pid_t pid = waitpid(-1, &status, flags);
    for (int i = 0; i < child_count && pid > 0; i++) {
        if (children[i].pid != pid)
            continue;
        if (!child_ended_well(children[i].end, status)) {
            wrong++;
            fprintf(stderr, "child %d, %s: status %#x\n", (int)pid, children[i].end->name, (unsigned)status);
        }
        children[i] = children[--child_count];
        return true;
    }
    return pid > 0;
}

static void fork_once(int number)
{
    const struct child_end *end = child_end(number);
    pid_t pid = fork();
    if (pid == 0) {
        alarm(20); /* a child that hangs ends by SIGALRM: that is none of the ways */
        end->run(number);
        _exit(99);
    }
    if (pid < 0) {
        wrong++;
        perror("fork");
        return;
    }
    children[child_count].pid = pid;
    children[child_count++].end = end;
    forked++;
}

static void forks(struct lines_server *server, const char *argument, char *answer)
{
    int count = 0, rate = 0, seconds = 0;
    (void)server;
    sscanf(argument, "%d %d %d", &count, &rate, &seconds);
    forked = wrong = 0;
    int64_t start_ns = now_ns();
    for (int i = 0; i < count && now_ns() < start_ns + seconds * NS_PER_S; i++) {
        int64_t due_ns = start_ns + i * NS_PER_S / rate - now_ns();
        struct timespec pause = {0, due_ns > 0 && due_ns < NS_PER_S ? due_ns : 0};
        if (pause.tv_nsec)
            nanosleep(&pause, NULL);
        while (reap(child_count == CHILDREN_MAX ? 0 : WNOHANG))
            ;
        fork_once(i);
    }
    while (child_count > 0 && reap(0))
        ;
    int left = waitpid(-1, NULL, WNOHANG) < 0 ? child_count : child_count + 1;
    snprintf(answer, LINES_MAX, "%d forked, %d wrong, %d left, %d ms", forked, wrong, left,
             (int)((now_ns() - start_ns) / 1000000));
}

static void fork_time(struct lines_server *server, const char *argument, char *answer)
{
    int count = atoi(argument);
    int64_t longest_ns = 0, sum_ns = 0;
    (void)server;
    for (int i = 0; i < count; i++) {
        int64_t start_ns = now_ns();
        pid_t pid = fork();
        if (pid == 0)
            _exit(0);
        int64_t taken_ns = now_ns() - start_ns;
        waitpid(pid, NULL, 0);
        sum_ns += taken_ns;
        longest_ns = taken_ns > longest_ns ? taken_ns : longest_ns;
    }
    snprintf(answer, LINES_MAX, "%d %d", (int)(longest_ns / 1000), (int)(sum_ns / 1000));
}

/* ---- Threads ----------------------------------------------------------------------------------------------------- */

static void *use_memory(void *number)
{
    for (int i = 1; i < 50; i++) {
        char *volatile memory = malloc((size_t)i * 37);
        memory[0] = 1;
        free(memory);
    }
    return number;
}

static int joined(pthread_t *threads, int count, uintptr_t first)
{
    int good = 0;
    for (int i = 0; i < count; i++) {
        void *result = NULL;
        good += pthread_join(threads[i], &result) == 0 && (uintptr_t)result == first + (uintptr_t)i;
    }
    return good;
}

static void threads(struct lines_server *server, const char *argument, char *answer)
{
    int count = atoi(argument), good = 0;
    (void)server;
    for (int first = 0; first < count; first += 8) {
        pthread_t made[8];
        int made_count = 0;
        while (made_count < 8 && first + made_count < count &&
               pthread_create(&made[made_count], NULL, use_memory, (void *)(uintptr_t)(first + made_count)) == 0)
            made_count++;
        good += joined(made, made_count, (uintptr_t)first);
    }
    snprintf(answer, LINES_MAX, "%d joined", good);
}

static void grow(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    snprintf(answer, LINES_MAX, "%d", hold_by_paths(atoi(argument)));
}

static const struct lines_command commands[] = {
    {"forks", forks}, {"threads", threads}, {"fork-time", fork_time}, {"grow", grow}, {NULL, NULL},
};

int main(int argc, char **argv)
{
    struct lines_server server = {.listener = lines_listen(argc > 1 ? atoi(argv[1]) : 0)};
    lines_serve(&server, commands);
}
