#include "collect/wall.h"

#include "base/clock.h"
#include "collect/wall_threads.h"
#include "task/profiling_pace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define LOOKS_A_SECOND 20000 /* some us each: at most a tenth of a processor */
#define ANSWER_NS      (3 * PH_NS_PER_MS)
#define SCAN_NS        (10 * PH_NS_PER_MS) /* for new threads */

struct run {
    const struct ph_profiling *wish;
    struct ph_wall wall;
    struct ph_pace pace;
    int64_t scanned_ns; /* the last scan began; 0: there was none */
    size_t cursor;      /* the thread to begin the next round with */
    uint64_t random;    /* so that looks do not fall into step with the program */
    size_t threads_at_most;
};

/* xorshift64 (G. Marsaglia, "Xorshift RNGs", 2003) */
static uint64_t next_random(struct run *run)
{
    run->random ^= run->random << 13;
    run->random ^= run->random >> 7;
    run->random ^= run->random << 17;
    return run->random;
}

static size_t looks_a_round(const struct run *run)
{
    size_t looks = LOOKS_A_SECOND / run->wish->hz;
    return looks < run->wall.thread_count ? looks : run->wall.thread_count;
}

/* A thread that is new began somewhere between the last scan and this: half of that is not wrong in the mean. */
static int scan(struct run *run, struct ph_error *error)
{
    int64_t from_ns = ph_clock_monotonic_ns();
    int64_t began_ns = run->scanned_ns ? (run->scanned_ns + from_ns) / 2 : run->pace.begin_ns;
    int result = ph_wall_scan(&run->wall, began_ns, error);
    ph_pace_scanned(&run->pace, from_ns, SCAN_NS);
    if (result < 0)
        return result;
    run->scanned_ns = from_ns;
    if (run->threads_at_most < run->wall.thread_count)
        run->threads_at_most = run->wall.thread_count;
    return 0;
}

/* With many threads, the next ones. Of those that run only some can be asked: each round begins with another. */
static void look(struct run *run)
{
    size_t count = looks_a_round(run), all = run->wall.thread_count;
    size_t first = count ? next_random(run) % count : 0;
    for (size_t i = 0; i < count; i++)
        ph_wall_look(&run->wall, &run->wall.threads[(run->cursor + (first + i) % count) % all]);
    run->cursor = all ? (run->cursor + count) % all : 0;
}

/* When the round after now is due, somewhere in the first quarter of its period. */
static int64_t next_round_ns(struct run *run, int64_t now_ns)
{
    int64_t period_ns = run->wall.sampled.profile->period;
    int64_t number = (now_ns - run->pace.begin_ns) / period_ns + 1;
    return run->pace.begin_ns + number * period_ns + (int64_t)(next_random(run) % (uint64_t)(period_ns / 4));
}

static int go(struct run *run, struct ph_error *error)
{
    struct ph_pace *pace = &run->pace;
    int result = scan(run, error);
    int64_t now_ns = pace->begin_ns;
    while (result == 0) {
        ph_pace_sleep(pace, next_round_ns(run, now_ns));
        now_ns = ph_clock_monotonic_ns();
        if (now_ns >= pace->until_ns)
            break;
        if (ph_pace_check(pace, now_ns, error) < 0)
            return -ECANCELED;
        if (now_ns >= pace->next_scan_ns)
            result = scan(run, error);
        if (result != -ENOMEM)
            result = 0; /* /proc may be closed for a while: the threads that are known go on */
        look(run);
        ph_wall_take_stacks(&run->wall, now_ns + ANSWER_NS);
    }
    return result;
}

static void comment(struct run *run)
{
    char line[128];
    struct ph_sampled *sampled = &run->wall.sampled;
    size_t looks = LOOKS_A_SECOND / run->wish->hz;
    if (run->threads_at_most > looks) {
        snprintf(line, sizeof(line),
                 "of %zu threads %zu were looked at in each round, in turn; a look stands for more time",
                 run->threads_at_most, looks);
        ph_profile_add_comment(sampled->profile, line);
    }
    ph_sampled_comment(sampled, run->wall.unanswered_count,
                       "samples of running threads have no stack: they did not answer, or could not be asked");
    ph_sampled_comment(sampled, run->wall.unseen_count,
                       "samples of blocked threads have no stack: the kernel does not tell where they wait");
}

static int collect(struct run *run, struct ph_profile **ret_profile, struct ph_error *error)
{
    struct ph_wall *wall = &run->wall;
    int result = ph_sampled_init(&wall->sampled, run->wish, "wall", error);
    ph_memory_open(&wall->memory);
    if (result == 0)
        result = ph_unwinder_new(&wall->unwinder, error);
    if (result == 0) {
        ph_pace_begin(&run->pace, run->wish);
        wall->until_ns = run->pace.until_ns;
        run->random = (uint64_t)run->pace.begin_ns | 1;
        result = go(run, error);
        ph_wall_settle(wall);
    }
    if (result == 0) {
        comment(run);
        result = ph_sampled_finish(&wall->sampled, run->pace.until_ns - run->pace.begin_ns, ret_profile, error);
    }
    ph_unwinder_free(wall->unwinder);
    ph_memory_close(&wall->memory);
    ph_tasks_fini(&wall->tasks);
    ph_sampled_fini(&wall->sampled);
    free(wall->threads);
    free(wall->changes);
    return result;
}

int ph_wall_profile(const struct ph_profiling *wish, struct ph_profile **ret_profile, struct ph_error *error)
{
    struct run run = {.wish = wish};
    int result = ph_profiling_begin(wish, error);
    if (result < 0)
        return result;
    result = collect(&run, ret_profile, error);
    ph_profiling_end();
    return result;
}
