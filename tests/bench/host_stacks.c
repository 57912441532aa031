/*
 * host_stacks.c - a server whose heap has as many distinct call stacks as asked for: input for heap requests.
 *
 *     host_stacks COUNT
 *
 * Each stack is 20 to 25 frames deep and holds one object, never touched, so that COUNT may be large. It listens on a
 * port (so Porthole opens its endpoint), prints "ready", and then reads commands, one a line:
 *
 *     dump PATH    jemalloc's own heap dump into a file; answers "WALL_NS CPU_NS"
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define LEVELS       26 /* functions by depth: a stack never mixes them, as real ones rarely do */
#define FUNCTIONS    16 /* of each level */
#define SITES        8  /* calls in each function: 3,328 return addresses in all */
#define DEPTH_MIN    20
#define DEPTHS       6
#define ROOT_LEVELS  6 /* little choice near the root */
#define DIGIT_LEVELS 6 /* then SITES^6 = 262,144 ways: the digits of the stack's number, so that no two are equal */
#define OBJECT_BYTES 8192

struct path {
    uint64_t number;
    unsigned depth;
};

typedef void walk_fn(const struct path *path);
static walk_fn *const walks[LEVELS][FUNCTIONS];
void *host_stacks_last; /* keeps the compiler from dropping malloc() */

/* splitmix64's mixer (Steele, Lea, Flood, 2014). */
static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

/* What tells the paths apart down to a level: above the digits next to nothing, below them all. */
static uint64_t choices_down_to(const struct path *path, unsigned level)
{
    if (level < ROOT_LEVELS)
        return path->number % 2;
    unsigned digits = level - ROOT_LEVELS + 1;
    return digits >= DIGIT_LEVELS ? path->number : path->number % (UINT64_C(1) << 3 * digits);
}

static unsigned site_at(const struct path *path, unsigned level)
{
    if (level >= ROOT_LEVELS && level < ROOT_LEVELS + DIGIT_LEVELS)
        return path->number >> 3 * (level - ROOT_LEVELS) & (SITES - 1);
    return mix(choices_down_to(path, level) + level) % SITES;
}

static walk_fn *callee_at(const struct path *path, unsigned level)
{
    return walks[level][mix(choices_down_to(path, level - 1) * LEVELS + level) % FUNCTIONS];
}

static __attribute__((noinline)) void make_object(void)
{
    host_stacks_last = malloc(OBJECT_BYTES);
    __asm__ volatile("" ::: "memory");
}

/* The comment in the asm keeps the compiler from merging the calls into one. */
#define SITE(level, site)                                                                                          \
    case site:                                                                                                     \
        callee_at(path, level + 1)(path);                                                                          \
        __asm__ volatile("# call " #site ::: "memory");                                                            \
        break;

#define FUNCTION(level, name)                                                                                      \
    static __attribute__((noinline)) void walk_##level##_##name(const struct path *path)                           \
    {                                                                                                              \
        if (level + 1 >= path->depth) {                                                                            \
            make_object();                                                                                         \
            __asm__ volatile("" ::: "memory");                                                                     \
            return;                                                                                                \
        }                                                                                                          \
        switch (site_at(path, level)) {                                                                            \
            SITE(level, 0)                                                                                         \
            SITE(level, 1)                                                                                         \
            SITE(level, 2) SITE(level, 3) SITE(level, 4) SITE(level, 5) SITE(level, 6) SITE(level, 7)              \
        }                                                                                                          \
    }

#define EACH_NAME(use, level)                                                                                      \
    use(level, 0) use(level, 1) use(level, 2) use(level, 3) use(level, 4) use(level, 5) use(level, 6)              \
        use(level, 7) use(level, 8) use(level, 9) use(level, 10) use(level, 11) use(level, 12) use(level, 13)      \
            use(level, 14) use(level, 15)

#define EACH_LEVEL(use)                                                                                            \
    use(0) use(1) use(2) use(3) use(4) use(5) use(6) use(7) use(8) use(9) use(10) use(11) use(12) use(13) use(14)  \
        use(15) use(16) use(17) use(18) use(19) use(20) use(21) use(22) use(23) use(24) use(25)

#define FUNCTIONS_OF(level) EACH_NAME(FUNCTION, level)
EACH_LEVEL(FUNCTIONS_OF)

#define NAME(level, name) walk_##level##_##name,
#define ROW(level)        {EACH_NAME(NAME, level)},
static walk_fn *const walks[LEVELS][FUNCTIONS] = {EACH_LEVEL(ROW)};

static void make_stacks(uint64_t count)
{
    for (uint64_t number = 0; number < count; number++) {
        struct path path = {number, DEPTH_MIN + (unsigned)(mix(number) % DEPTHS)};
        walks[0][0](&path);
    }
}

static uint64_t now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* By name at run time: the host is built without jemalloc, as any host is. */
static void dump(const char *path)
{
    int (*control)(const char *, void *, size_t *, void *, size_t);
    *(void **)&control = dlsym(RTLD_DEFAULT, "mallctl");
    uint64_t wall_ns = now_ns(CLOCK_MONOTONIC), cpu_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    if (!control || control("prof.dump", NULL, NULL, &path, sizeof(path)) != 0) {
        puts("failed");
        return;
    }
    wall_ns = now_ns(CLOCK_MONOTONIC) - wall_ns;
    cpu_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns;
    printf("%" PRIu64 " %" PRIu64 "\n", wall_ns, cpu_ns);
}

int main(int argc, char **argv)
{
    struct sockaddr_in any_port = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char line[512];

    if (argc != 2) {
        fprintf(stderr, "usage: host_stacks COUNT\n");
        return 2;
    }
    make_stacks(strtoull(argv[1], NULL, 10));
    if (bind(listener, (struct sockaddr *)&any_port, sizeof(any_port)) < 0 || listen(listener, 5) < 0)
        return 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    puts("ready");
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "dump ", 5) == 0)
            dump(line + 5);
    }
    return 0;
}
