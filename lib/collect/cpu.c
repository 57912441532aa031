#include "collect/cpu.h"

#include "base/clock.h"
#include "model/labels.h"
#include "task/losses.h"
#include "task/profiling_pace.h"
#include "task/sampled.h"
#include "task/task_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STACK_BYTES         ((size_t)32 << 10) /* of a stack; what is copied is what there is, mostly far less */
#define ROUND_NS_MIN        (2 * PH_NS_PER_MS)
#define ROUND_NS_MAX        (100 * PH_NS_PER_MS)
#define ROUND_SAMPLES       20   /* of a processor that is busy, or half the ring */
#define ROUND_CAPTURES_MAX  2048 /* then others have a look: the clock, the client */
#define ROUND_CAPTURES_MANY 64   /* so many: come back sooner */
#define ROUND_CAPTURES_FEW  16
#define LAST_ROUNDS         8
#define SCAN_NS             (100 * PH_NS_PER_MS) /* for threads nobody told of */
#define NEWCOMERS           64                   /* threads between two scans whose names are kept */

struct run {
    const struct ph_profiling *wish;
    const struct ph_probe *probe;
    struct ph_sampled sampled;
    struct ph_unwinder *unwinder;
    struct ph_tasks tasks;
    pid_t *armed; /* those of the last scan, sorted */
    size_t armed_count;
    struct {
        pid_t tid;
        char name[PH_TASK_NAME_MAX];
    } newcomers[NEWCOMERS]; /* that have begun since */
    size_t newcomer_count;
    struct ph_pace pace;
    uint64_t unarmed_count; /* for other reasons than those that the probe counts */
};

/* ---- Threads ---- */

static void arm_new(struct run *run)
{
    size_t before = 0;
    for (size_t i = 0; i < run->tasks.count; i++) {
        pid_t tid = run->tasks.tasks[i].tid;
        while (before < run->armed_count && run->armed[before] < tid)
            before++;
        if (before < run->armed_count && run->armed[before] == tid)
            continue;
        int result = run->probe->sampling_arm(tid);
        if (result < 0 && result != -ESRCH && result != -EAGAIN && result != -EPERM)
            run->unarmed_count++;
    }
}

/* Each thread is tried once: one that could not be armed is not tried, and counted, again and again. */
static int remember_armed(struct run *run)
{
    pid_t *armed = realloc(run->armed, (run->tasks.count + 1) * sizeof(*armed));
    if (!armed)
        return -ENOMEM;
    for (size_t i = 0; i < run->tasks.count; i++)
        armed[i] = run->tasks.tasks[i].tid;
    run->armed = armed;
    run->armed_count = run->tasks.count;
    run->newcomer_count = 0;
    return 0;
}

static int scan(struct run *run, struct ph_error *error)
{
    int64_t from_ns = ph_clock_monotonic_ns();
    int result = ph_tasks_read(&run->tasks, run->probe, error);
    if (result == 0)
        arm_new(run);
    if (result == 0 && remember_armed(run) < 0)
        result = ph_error_set(error, -ENOMEM, "no memory for the list of threads");
    ph_pace_scanned(&run->pace, from_ns, SCAN_NS);
    return result;
}

static int by_tid(const void *key, const void *entry)
{
    pid_t tid = *(const pid_t *)key, other = ((const struct ph_task *)entry)->tid;
    return (tid > other) - (tid < other);
}

/* "" of one that ended too soon to be asked. */
static void read_name(const struct run *run, pid_t tid, char *ret_name)
{
    ssize_t length = ph_task_file_read(ph_tasks_folder(&run->tasks), tid, "comm", ret_name, PH_TASK_NAME_MAX);
    ret_name[length > 0 ? length - 1 : 0] = '\0'; /* without its line end */
}

static const char *name_of_newcomer(struct run *run, pid_t tid)
{
    size_t known = run->newcomer_count < NEWCOMERS ? run->newcomer_count : NEWCOMERS;
    for (size_t i = 0; i < known; i++)
        if (run->newcomers[i].tid == tid)
            return run->newcomers[i].name;
    size_t place = run->newcomer_count++ % NEWCOMERS;
    run->newcomers[place].tid = tid;
    read_name(run, tid, run->newcomers[place].name);
    return run->newcomers[place].name;
}

static const char *name_of(struct run *run, pid_t tid)
{
    const struct ph_task *task =
        run->tasks.count ? bsearch(&tid, run->tasks.tasks, run->tasks.count, sizeof(*task), by_tid) : NULL;
    return task ? task->name : name_of_newcomer(run, tid);
}

/* ---- Captures ---- */

static void count(struct run *run, const struct ph_capture *capture, struct ph_task_stack *stack)
{
    struct ph_label labels[PH_SAMPLED_LABELS_MAX];
    uint32_t label_count = 0;
    const char *name = name_of(run, capture->tid);
    if (name[0])
        labels[label_count++] = ph_sampled_text(&run->sampled, PH_LABEL_THREAD, name);
    labels[label_count++] = ph_sampled_number(&run->sampled, PH_LABEL_TID, capture->tid);
    const int64_t values[] = {capture->count, capture->count * run->sampled.profile->period};
    ph_sampled_add(&run->sampled, stack, labels, label_count, capture->label_set, values);
}

/* The slot in the ring is given back at once: counting can wait. */
static void take(struct run *run, struct ph_capture *capture)
{
    struct ph_task_stack stack;
    bool is_late = (int64_t)capture->time_ns > run->pace.until_ns;
    if (!is_late)
        ph_stack_of_capture(run->unwinder, capture, &stack);
    run->probe->sampling_give_back(capture);
    if (!is_late)
        count(run, capture, &stack);
}

static size_t drain(struct run *run)
{
    struct ph_capture capture;
    size_t taken = 0;
    while (taken < ROUND_CAPTURES_MAX && run->probe->sampling_take(&capture)) {
        if (taken++ == 0) {
            bool has_changed = ph_unwinder_refresh(run->unwinder);
            ph_mappings_refresh(&run->sampled.mappings, has_changed);
        }
        take(run, &capture);
    }
    return taken;
}

/* ---- Time ---- */

/* Each round wakes a thread: no more than needed, also when all processors get busy in the middle of a long one. */
static int64_t next_round(const struct run *run, int64_t round_ns, size_t taken)
{
    int64_t most_ns = ROUND_SAMPLES * run->sampled.profile->period;
    if (most_ns > ROUND_NS_MAX)
        most_ns = ROUND_NS_MAX;
    if (taken > ROUND_CAPTURES_MANY)
        return round_ns / 2 > ROUND_NS_MIN ? round_ns / 2 : ROUND_NS_MIN;
    if (taken < ROUND_CAPTURES_FEW)
        return round_ns * 2 < most_ns ? round_ns * 2 : most_ns;
    return round_ns;
}

/* 0 at the end, also if it came early: pace->until_ns tells. */
static int go(struct run *run, struct ph_error *error)
{
    int64_t round_ns = ROUND_NS_MAX / 4;
    struct ph_pace *pace = &run->pace;
    for (int64_t now_ns = pace->begin_ns; now_ns < pace->until_ns; now_ns = ph_clock_monotonic_ns()) {
        if (ph_pace_check(pace, now_ns, error) < 0)
            return -ECANCELED;
        if (!run->probe->sampling_check()) {
            ph_profile_add_comment(run->sampled.profile,
                                   "ended early: the program has taken the signal for itself");
            pace->until_ns = now_ns;
            break;
        }
        round_ns = next_round(run, round_ns, drain(run));
        int result = now_ns >= pace->next_scan_ns ? scan(run, error) : 0;
        if (result < 0 && run->armed_count == 0) /* later, what there is goes on */
            return result;
        ph_pace_sleep(pace, ph_clock_monotonic_ns() + round_ns);
    }
    for (int i = 0; i < LAST_ROUNDS && drain(run) == ROUND_CAPTURES_MAX; i++)
        continue;
    return 0;
}

/* ---- The whole ---- */

static void comment(struct run *run, const struct ph_sampling_counts *counts)
{
    struct ph_sampled *sampled = &run->sampled;
    ph_sampled_comment(sampled, counts->dropped_full,
                       "samples were lost: they came faster than they could be read");
    ph_sampled_comment(sampled, counts->unarmed,
                       "threads are not seen: no timer could be made for them (RLIMIT_SIGPENDING)");
    ph_sampled_comment(sampled, counts->tiny_stacks,
                       "threads are not seen: their alternate signal stack is too small for a signal");
    ph_sampled_comment(sampled, run->unarmed_count, "threads are not seen: no timer could be made for them");
}

static int begin_failed(int result, struct ph_error *error)
{
    switch (result) {
    case -EBUSY:
        return ph_error_set(error, result, "another profile of this process runs");
    case -ENOSPC:
        return ph_error_set(error, result, "no signal is free: the program uses all real-time signals");
    case -EPERM:
        return ph_error_set(error, result,
                            "the program filters system calls, timers may not be among those allowed");
    case -ENOMEM:
        return ph_error_set(error, result, "no memory for the samples");
    default:
        return ph_error_set(error, result, "cannot sample: %s", strerrordesc_np(-result));
    }
}

static int sample(struct run *run, struct ph_error *error)
{
    struct ph_sampling_counts counts = {0};
    int result = run->probe->sampling_begin(run->wish->hz, STACK_BYTES);
    if (result < 0)
        return begin_failed(result, error);
    ph_pace_begin(&run->pace, run->wish);
    result = go(run, error);
    run->probe->sampling_end(&counts);
    ph_losses_add(&counts);
    if (result == 0)
        comment(run, &counts);
    return result;
}

static int collect(struct run *run, struct ph_profile **ret_profile, struct ph_error *error)
{
    int result = ph_sampled_init(&run->sampled, run->wish, "cpu", error);
    if (result == 0)
        result = ph_unwinder_new(&run->unwinder, error);
    if (result == 0)
        result = sample(run, error);
    if (result == 0)
        result = ph_sampled_finish(&run->sampled, run->pace.until_ns - run->pace.begin_ns, ret_profile, error);
    ph_unwinder_free(run->unwinder);
    ph_tasks_fini(&run->tasks);
    ph_sampled_fini(&run->sampled);
    free(run->armed);
    return result;
}

int ph_cpu_profile(const struct ph_profiling *wish, struct ph_profile **ret_profile, struct ph_error *error)
{
    struct run run = {.wish = wish, .probe = wish->probe};
    int result = ph_profiling_begin(wish, error);
    if (result < 0)
        return result;
    result = collect(&run, ret_profile, error);
    ph_profiling_end();
    return result;
}
