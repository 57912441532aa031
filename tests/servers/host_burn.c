/*
 * host_burn.c - a server that knows where its CPU time goes: 4 threads spend known shares of it in functions with names.
 *
 *   host_burn PORT
 *
 * Each thread runs next whichever function is farthest behind its share, on the thread's own CPU clock, so neither the machine's load nor
 * the scheduler changes the shares. "shares cpu" and "shares wall" answer with the nanoseconds of each so far: what a profile must say.
 */
#include "lines.c"

#include <err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS  4
#define SLICE_NS UINT64_C(60000000)
#define PAUSE_NS 1000000
#define BRIEF_NS UINT64_C(100000000)
#define TURNS    20000 /* some 20 us */

enum function { HALF, QUARTER, SEVENTH, TENTH, BRIEF, FUNCTIONS };

static _Atomic uint64_t cpu_ns[FUNCTIONS], wall_ns[FUNCTIONS];
static _Atomic bool is_burning;

static uint64_t read_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t thread_cpu_ns(void)
{
    return read_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* What has passed since it was called the last time, on both clocks. */
struct account {
    uint64_t cpu_ns, wall_ns;
};

static uint64_t keep(struct account *account, enum function function)
{
    struct account now = {thread_cpu_ns(), read_ns(CLOCK_MONOTONIC)};
    uint64_t passed_ns = now.cpu_ns - account->cpu_ns;
    atomic_fetch_add(&cpu_ns[function], passed_ns);
    atomic_fetch_add(&wall_ns[function], now.wall_ns - account->wall_ns);
    *account = now;
    return passed_ns;
}

/* The loop is in each function itself: it is the leaf nearly always. */
#define BURN(name, function)                                                                                       \
    __attribute__((noipa)) static void name(uint64_t nanoseconds)                                                  \
    {                                                                                                              \
        struct account account = {thread_cpu_ns(), read_ns(CLOCK_MONOTONIC)};                                      \
        for (uint64_t spent_ns = 0; spent_ns < nanoseconds; spent_ns += keep(&account, function))                  \
            for (volatile int turn = 0; turn < TURNS; turn++)                                                      \
                continue;                                                                                          \
    }
BURN(burn_half, HALF)
BURN(burn_quarter, QUARTER)
BURN(burn_seventh, SEVENTH)
BURN(burn_tenth, TENTH)
BURN(burn_brief, BRIEF)

static const struct {
    void (*burn)(uint64_t nanoseconds);
    double share;
} functions[] = {{burn_half, 0.50}, {burn_quarter, 0.25}, {burn_seventh, 0.15}, {burn_tenth, 0.10}};

#define KINDS (sizeof(functions) / sizeof(functions[0]))

static size_t farthest_behind(const uint64_t *own_ns, uint64_t all_ns)
{
    size_t best = 0;
    double behind = -1e300;
    for (size_t i = 0; i < KINDS; i++) {
        double missing = functions[i].share * (double)all_ns - (double)own_ns[i];
        if (missing > behind) {
            behind = missing;
            best = i;
        }
    }
    return best;
}

/* Slices of many lengths, so that nothing goes in step with the timers, and each so long that many samples fall into it: what chance adds
 * is small. A pause now and then, so that threads are idle, too. */
static void *work(void *argument)
{
    uint64_t own_ns[KINDS] = {0}, all_ns = 0;
    unsigned random = (unsigned)(uintptr_t)argument + 1;
    char name[16];
    snprintf(name, sizeof(name), "burner-%d", (int)(uintptr_t)argument);
    pthread_setname_np(pthread_self(), name);
    for (unsigned round = 0;; round++) {
        const struct timespec pause = {.tv_nsec = PAUSE_NS};
        if (!atomic_load(&is_burning) || round % 16 == 0)
            nanosleep(&pause, NULL);
        if (!atomic_load(&is_burning))
            continue;
        size_t next = farthest_behind(own_ns, all_ns);
        uint64_t slice_ns = SLICE_NS / 2 + (uint64_t)rand_r(&random) % SLICE_NS, before = thread_cpu_ns();
        functions[next].burn(slice_ns);
        uint64_t used_ns = thread_cpu_ns() - before;
        own_ns[next] += used_ns;
        all_ns += used_ns;
    }
    return NULL;
}

/* Threads without end, one after the other, each of which lives for a moment. */
static void *be_brief(void *unused)
{
    (void)unused;
    burn_brief(BRIEF_NS);
    return NULL;
}

static void *make_brief_ones(void *unused)
{
    (void)unused;
    for (;;) {
        const struct timespec pause = {.tv_nsec = 400 * PAUSE_NS};
        pthread_t thread;
        nanosleep(&pause, NULL);
        if (atomic_load(&is_burning) && pthread_create(&thread, NULL, be_brief, NULL) == 0)
            pthread_join(thread, NULL);
    }
    return NULL;
}

static void shares(struct lines_server *server, const char *argument, char *answer)
{
    const _Atomic uint64_t *ns = strcmp(argument, "wall") == 0 ? wall_ns : cpu_ns;
    (void)server;
    snprintf(answer, LINES_MAX, "burn_half %lu burn_quarter %lu burn_seventh %lu burn_tenth %lu burn_brief %lu",
             (unsigned long)ns[HALF], (unsigned long)ns[QUARTER], (unsigned long)ns[SEVENTH],
             (unsigned long)ns[TENTH], (unsigned long)ns[BRIEF]);
}

static void burn(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    atomic_store(&is_burning, strcmp(argument, "on") == 0);
    snprintf(answer, LINES_MAX, "%s", argument);
}

static const struct lines_command commands[] = {{"shares", shares}, {"burn", burn}, {NULL, NULL}};

int main(int argc, char **argv)
{
    struct lines_server server = {.fork_each = false};
    pthread_t thread;
    if (argc < 2)
        errx(2, "usage: host_burn PORT");
    server.listener = lines_listen(atoi(argv[1]));
    for (uintptr_t i = 0; i < THREADS; i++)
        if (pthread_create(&thread, NULL, work, (void *)i) != 0)
            errx(1, "no thread");
    if (pthread_create(&thread, NULL, make_brief_ones, NULL) != 0)
        errx(1, "no thread");
    lines_serve(&server, commands);
}
