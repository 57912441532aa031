#include "collect/thread_seen.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <time.h>

#define RETRY_NS       (50 * PH_NS_PER_MS) /* then it is asked again */
#define DEADLINE_NS    (2 * PH_NS_PER_S)
#define PAUSE_FIRST_NS 50000
#define PAUSE_MAX_NS   (2 * PH_NS_PER_MS)
#define NO_TICKET      (-1)

#define WHY_HIDDEN                                                                                                 \
    "the kernel hides the stack pointers of a process that changed its user, and it is in no call that tells its " \
    "own"
#define WHY_FORBIDDEN  "it runs, and must not be sent a signal"
#define WHY_UNANSWERED "it ran, and did not answer a signal for 2 s"
#define WHY_UNSTEADY   "it ran between any two looks"

enum progress {
    SEEN_NOT,
    SEEN_DONE,
    SEEN_GONE,
};

struct walk {
    const struct ph_probe *probe;
    struct ph_unwinder *unwinder;
    const struct ph_memory *memory;
    struct ph_arena *arena;
    struct ph_tasks *tasks;
    int folder;
    struct ph_thread_seen *seen;
    struct asking {
        enum progress progress;
        int ticket;
        int64_t since_ns;
    } * asking;
    size_t count;
    int failure; /* 0, or -ENOMEM */
};

/* ---- One thread is done ---- */

static void keep_stack(struct walk *walk, size_t place, struct ph_task_stack *stack)
{
    struct ph_thread_seen *seen = &walk->seen[place];
    seen->why = ph_unwind_end_text(stack->end);
    ph_stack_strip(stack, walk->probe);
    uint64_t *addresses = ph_arena_alloc(walk->arena, (stack->count + 1) * sizeof(*addresses));
    if (!addresses) {
        walk->failure = -ENOMEM;
        return;
    }
    memcpy(addresses, stack->addresses, stack->count * sizeof(*addresses));
    seen->addresses = addresses;
    seen->count = stack->count;
}

static void take_back(struct walk *walk, struct asking *asking)
{
    if (asking->ticket != NO_TICKET)
        walk->probe->unask(asking->ticket);
    asking->ticket = NO_TICKET;
}

static void finish(struct walk *walk, size_t place, enum progress progress)
{
    take_back(walk, &walk->asking[place]);
    walk->asking[place].progress = progress;
}

static void finish_without(struct walk *walk, size_t place, const char *why)
{
    walk->seen[place].why = why;
    finish(walk, place, SEEN_DONE);
}

/* ---- Running threads ---- */

static void ask(struct walk *walk, size_t place)
{
    struct asking *asking = &walk->asking[place];
    if (asking->ticket != NO_TICKET)
        return;
    int ticket = walk->probe->ask(walk->seen[place].task.tid);
    if (ticket >= 0) {
        asking->ticket = ticket;
        asking->since_ns = ph_clock_monotonic_ns();
        walk->seen[place].is_interrupted = true;
    } else if (ticket == -ESRCH) {
        finish(walk, place, SEEN_GONE);
    } else if (ticket != -EAGAIN) {
        walk->seen[place].state = 'R';
        finish_without(walk, place, WHY_FORBIDDEN);
    }
}

static void take_answer(struct walk *walk, size_t place)
{
    struct ph_capture capture;
    struct ph_task_stack stack;
    struct ph_thread_seen *seen = &walk->seen[place];
    struct asking *asking = &walk->asking[place];
    if (asking->ticket == NO_TICKET)
        return;
    if (walk->probe->asked(asking->ticket, &capture) < 0) {
        if (ph_clock_monotonic_ns() - asking->since_ns > RETRY_NS)
            take_back(walk, asking); /* it blocked our signal, for a moment perhaps */
        return;
    }
    ph_stack_of_capture(walk->unwinder, &capture, &stack);
    keep_stack(walk, place, &stack);
    seen->label_set = capture.label_set;
    seen->look.is_blocked = false;
    seen->state = 'R';
    finish(walk, place, SEEN_DONE);
}

/* ---- Blocked threads ---- */

/* Its stack, unless it ran meanwhile: the next round tells. The registry is read between the look and the stack. */
static void take_stack(struct walk *walk, size_t place)
{
    struct ph_thread_seen *seen = &walk->seen[place];
    struct ph_task_stack stack;
    const struct ph_task *task = ph_tasks_note(walk->tasks, seen->task.tid);
    if (!task) {
        finish(walk, place, SEEN_GONE);
        return;
    }
    seen->task = *task;
    seen->label_set = task->label_set;
    bool has_stack = !seen->is_hidden || ph_task_look_noted(walk->memory, task, &seen->look);
    int result = has_stack ? ph_stack_of_blocked(walk->unwinder, walk->folder, task, &seen->look, &stack)
                           : ph_task_look_again(walk->folder, task->tid, &seen->look);
    if (result == -EAGAIN)
        return;
    if (result < 0) {
        finish(walk, place, SEEN_GONE);
    } else if (has_stack) {
        keep_stack(walk, place, &stack);
        finish(walk, place, SEEN_DONE);
    } else {
        finish_without(walk, place, WHY_HIDDEN);
    }
}

static int look(const struct walk *walk, struct ph_thread_seen *seen)
{
    int result = seen->is_hidden ? -EACCES : ph_task_look(walk->folder, seen->task.tid, &seen->look);
    if (result == 0 || result == -ESRCH)
        return result;
    seen->is_hidden = true;
    return ph_task_look_light(walk->folder, seen->task.tid, &seen->look);
}

static void look_at(struct walk *walk, size_t place)
{
    struct ph_thread_seen *seen = &walk->seen[place];
    int result = look(walk, seen);
    if (result == 0)
        result = ph_task_state(walk->folder, seen->task.tid, &seen->state, seen->name);
    if (result < 0)
        finish(walk, place, SEEN_GONE);
    else if (seen->look.is_blocked)
        take_stack(walk, place);
    else if (seen->state == 'R') /* it was read last: whoever blocked meanwhile is not to be woken */
        ask(walk, place);
    ph_task_look_done(&seen->look);
}

/* ---- All of them ---- */

static bool is_open(const struct walk *walk, size_t place)
{
    return walk->asking[place].progress == SEEN_NOT;
}

/* How many are still to be seen. */
static size_t see_round(struct walk *walk)
{
    size_t left = 0;
    for (size_t i = 0; i < walk->count && walk->failure == 0; i++) {
        if (is_open(walk, i))
            take_answer(walk, i);
        if (is_open(walk, i))
            look_at(walk, i);
        left += is_open(walk, i);
    }
    return left;
}

static void see_all(struct walk *walk)
{
    int64_t deadline_ns = ph_clock_monotonic_ns() + DEADLINE_NS;
    struct timespec pause = {0, PAUSE_FIRST_NS};
    while (see_round(walk) && walk->failure == 0 && ph_clock_monotonic_ns() < deadline_ns) {
        nanosleep(&pause, NULL);
        pause.tv_nsec = MIN(2 * pause.tv_nsec, PAUSE_MAX_NS);
    }
    for (size_t i = 0; i < walk->count; i++) {
        if (is_open(walk, i)) {
            walk->seen[i].state = '?';
            finish_without(walk, i, walk->seen[i].is_interrupted ? WHY_UNANSWERED : WHY_UNSTEADY);
        }
    }
}

/* Leaves out those that ended meanwhile. */
static size_t keep_living(struct walk *walk)
{
    size_t kept = 0;
    for (size_t i = 0; i < walk->count; i++)
        if (walk->asking[i].progress == SEEN_DONE)
            walk->seen[kept++] = walk->seen[i];
    return kept;
}

static int begin(struct walk *walk)
{
    walk->folder = ph_tasks_folder(walk->tasks);
    walk->count = walk->tasks->count;
    walk->seen = calloc(walk->count + 1, sizeof(*walk->seen));
    walk->asking = calloc(walk->count + 1, sizeof(*walk->asking));
    if (!walk->seen || !walk->asking)
        return -ENOMEM;
    for (size_t i = 0; i < walk->count; i++) {
        walk->seen[i] = (struct ph_thread_seen){.task = walk->tasks->tasks[i], .why = ""};
        walk->asking[i] = (struct asking){.progress = SEEN_NOT, .ticket = NO_TICKET};
    }
    return 0;
}

int ph_threads_see(const struct ph_probe *probe, struct ph_unwinder *unwinder, const struct ph_memory *memory,
                   struct ph_tasks *tasks, struct ph_arena *arena, struct ph_thread_seen **ret_seen,
                   size_t *ret_count, struct ph_error *error)
{
    struct walk walk = {.probe = probe, .unwinder = unwinder, .memory = memory, .arena = arena, .tasks = tasks};
    tasks->is_nameless = true;
    int result = ph_tasks_read(tasks, probe, error);
    if (result == 0)
        result = begin(&walk);
    if (result == 0) {
        see_all(&walk);
        result = walk.failure;
    }
    if (result == 0) {
        *ret_count = keep_living(&walk);
        *ret_seen = walk.seen;
    } else {
        free(walk.seen);
    }
    free(walk.asking);
    return result;
}
