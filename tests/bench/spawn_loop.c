/*
 * spawn_loop.c - what it costs to start a program, with several preloads in turn.
 *
 *     spawn_loop ROUNDS PROGRAM PRELOAD...     PRELOAD: a path, or - for none
 *
 * Prints one line a round: the nanoseconds from posix_spawn() to the end of PROGRAM under each PRELOAD.
 */
#include <inttypes.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int spawn_once(char *program, const char *preload, uint64_t *ret_ns)
{
    char variable[4096];
    char *arguments[] = {program, NULL};
    char *environment[] = {variable, NULL};
    int status;
    pid_t child;

    snprintf(variable, sizeof(variable), "LD_PRELOAD=%s", preload);
    if (strcmp(preload, "-") == 0)
        environment[0] = NULL;
    uint64_t start_ns = now_ns();
    if (posix_spawn(&child, program, NULL, NULL, arguments, environment) != 0 || waitpid(child, &status, 0) < 0)
        return -1;
    *ret_ns = now_ns() - start_ns;
    return status == 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
    long rounds = argc > 3 ? atol(argv[1]) : 0;
    if (rounds < 1) {
        fprintf(stderr, "usage: spawn_loop ROUNDS PROGRAM PRELOAD...\n");
        return 2;
    }
    for (long round = 0; round < rounds; round++) {
        for (int i = 3; i < argc; i++) {
            uint64_t taken_ns = 0;
            if (spawn_once(argv[2], argv[i], &taken_ns) < 0) {
                fprintf(stderr, "spawn_loop: %s fails with %s\n", argv[2], argv[i]);
                return 1;
            }
            printf(i + 1 < argc ? "%" PRIu64 " " : "%" PRIu64 "\n", taken_ns);
        }
    }
    return 0;
}
