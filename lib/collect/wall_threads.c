#include "collect/wall_threads.h"

#include "base/clock.h"
#include "model/intern.h"
#include "model/labels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RETRY_NS   (50 * PH_NS_PER_MS) /* then it is asked again: it blocked our signal, for a moment perhaps */
#define ANSWER_NS  (2 * PH_NS_PER_S)   /* so much time of a thread that does not answer is told to have no stack */
#define ANSWER_NAP (PH_NS_PER_MS / 10)
#define NONE       PH_INDEX_NONE

static const struct ph_probe *probe_of(const struct ph_wall *wall)
{
    return wall->sampled.wish->probe;
}

/* ---- Who is there ---- */

static struct ph_wall_thread *find_thread(struct ph_wall *wall, pid_t tid)
{
    size_t low = 0, high = wall->thread_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (wall->threads[middle].tid < tid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < wall->thread_count && wall->threads[low].tid == tid ? &wall->threads[low] : NULL;
}

/* ---- Into the profile ---- */

static uint32_t add(struct ph_wall *wall, const struct ph_wall_thread *thread, const char *state,
                    struct ph_task_stack *stack, uint32_t label_set, const int64_t *values)
{
    struct ph_label labels[PH_SAMPLED_LABELS_MAX];
    uint32_t count = 0;
    if (thread->name)
        labels[count++] = (struct ph_label){.key = ph_profile_string(wall->sampled.profile, PH_LABEL_THREAD),
                                            .text = thread->name};
    labels[count++] = ph_sampled_number(&wall->sampled, PH_LABEL_TID, thread->tid);
    labels[count++] = ph_sampled_text(&wall->sampled, PH_LABEL_STATE, state);
    return ph_sampled_add(&wall->sampled, stack, labels, count, label_set, values);
}

static void add_again(struct ph_wall *wall, uint32_t place, const int64_t *values)
{
    int64_t *sums = ph_profile_values(wall->sampled.profile, place);
    sums[0] = ph_add_saturating(sums[0], values[0]);
    sums[1] = ph_add_saturating(sums[1], values[1]);
}

/* What was owed to the last answer, or to a sample without a stack. */
static void settle_owed(struct ph_wall *wall, struct ph_wall_thread *thread, uint64_t *without_stack)
{
    const int64_t values[] = {thread->owed_count, thread->owed_ns};
    if (thread->owed_ns == 0 && thread->owed_count == 0)
        return;
    if (thread->running_place != NONE) {
        add_again(wall, thread->running_place, values);
    } else {
        struct ph_task_stack none = {.count = 0, .end = PH_UNWIND_COMPLETE};
        add(wall, thread, "running", &none, 0, values);
        *without_stack += (uint64_t)thread->owed_count;
    }
    thread->owed_count = thread->owed_ns = 0;
}

/* Its time since the look before, and for how many samples that stands. A last look may come late. */
static void take_time(const struct ph_wall *wall, struct ph_wall_thread *thread, int64_t *ret_values)
{
    int64_t period_ns = wall->sampled.profile->period;
    int64_t now_ns = ph_clock_monotonic_ns();
    if (now_ns > wall->until_ns)
        now_ns = wall->until_ns;
    int64_t elapsed_ns = now_ns > thread->counted_ns ? now_ns - thread->counted_ns : 0;
    int64_t samples = (elapsed_ns + period_ns / 2) / period_ns;
    ret_values[0] = samples > 0 ? samples : 1;
    ret_values[1] = elapsed_ns;
    thread->counted_ns = now_ns;
}

static void owe(struct ph_wall_thread *thread, const int64_t *values)
{
    thread->is_blocked = false;
    thread->owed_count += values[0];
    thread->owed_ns += values[1];
}

/* ---- Those that run ---- */

static void ask(struct ph_wall *wall, struct ph_wall_thread *thread)
{
    if (thread->is_asked || wall->asked_count == PH_WALL_ASKED_MAX)
        return;
    int ticket = probe_of(wall)->ask(thread->tid);
    if (ticket == -EPERM)
        settle_owed(wall, thread, &wall->unanswered_count);
    if (ticket < 0)
        return;
    wall->asked[wall->asked_count].tid = thread->tid;
    wall->asked[wall->asked_count].ticket = ticket;
    wall->asked[wall->asked_count++].since_ns = ph_clock_monotonic_ns();
    thread->is_asked = true;
}

/* It has not answered for so long that nobody knows where it was. */
static void settle_unknown(struct ph_wall *wall, struct ph_wall_thread *thread)
{
    if (!thread->has_ended)
        thread->running_place = NONE;
    settle_owed(wall, thread, &wall->unanswered_count);
}

static void answered(struct ph_wall *wall, struct ph_wall_thread *thread, const struct ph_capture *capture)
{
    const int64_t values[] = {thread->owed_count, thread->owed_ns};
    struct ph_task_stack stack;
    ph_stack_of_capture(wall->unwinder, capture, &stack);
    thread->running_place = add(wall, thread, "running", &stack, capture->label_set, values);
    thread->owed_count = thread->owed_ns = 0;
}

/* True if the ticket was given back. */
static bool fetch_answer(struct ph_wall *wall, size_t place, int64_t now_ns)
{
    struct ph_wall_thread *thread = find_thread(wall, wall->asked[place].tid);
    struct ph_capture capture;
    int result = probe_of(wall)->asked(wall->asked[place].ticket, &capture);
    bool is_lost = !thread || thread->has_ended || now_ns - wall->asked[place].since_ns > RETRY_NS;
    if (result == -EAGAIN && !is_lost)
        return false;
    if (thread) {
        if (result == 0)
            answered(wall, thread, &capture);
        else if (thread->has_ended || thread->owed_ns > ANSWER_NS)
            settle_unknown(wall, thread);
        thread->is_asked = false;
    }
    probe_of(wall)->unask(wall->asked[place].ticket);
    return true;
}

static void fetch_answers(struct ph_wall *wall)
{
    int64_t now_ns = ph_clock_monotonic_ns();
    for (size_t i = 0; i < wall->asked_count;) {
        if (fetch_answer(wall, i, now_ns))
            wall->asked[i] = wall->asked[--wall->asked_count];
        else
            i++;
    }
}

static void nap(void)
{
    const struct timespec moment = {.tv_nsec = ANSWER_NAP};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL);
}

/* ---- Those that are blocked ---- */

/* It has not run: same place, same labels. Not to be known where the kernel does not count how often it ran. */
static bool is_unchanged(const struct ph_wall *wall, const struct ph_wall_thread *thread)
{
    return thread->is_blocked && thread->look.switches &&
           ph_task_look_again(ph_tasks_folder(&wall->tasks), thread->tid, &thread->look) == 0;
}

static const char *state_of(const struct ph_wall *wall, pid_t tid)
{
    static const struct {
        char letter;
        const char *name;
    } states[] = {{'D', "disk"}, {'T', "stopped"}, {'t', "stopped"}, {'Z', "ended"}, {'X', "ended"}};
    char letter = 'S';
    uint64_t cpu_ns;
    ph_task_times(ph_tasks_folder(&wall->tasks), tid, &letter, &cpu_ns);
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (states[i].letter == letter)
            return states[i].name;
    return "sleeping";
}

static void blocked_at(struct ph_wall *wall, struct ph_wall_thread *thread, const struct ph_wall_change *change,
                       struct ph_task_stack *stack, uint32_t label_set)
{
    thread->blocked_place = add(wall, thread, state_of(wall, thread->tid), stack, label_set, change->values);
    thread->is_blocked = thread->blocked_place != NONE;
    thread->look = change->look;
}

/* The notes of the hooks are younger than the look by now: tasks.h. */
static void take_change(struct ph_wall *wall, struct ph_wall_change *change)
{
    struct ph_task_stack stack = {.count = 0, .end = PH_UNWIND_COMPLETE};
    struct ph_wall_thread *thread = find_thread(wall, change->tid);
    const struct ph_task *task = ph_tasks_note(&wall->tasks, change->tid);
    int result = 0;
    if (!thread || !task)
        return;
    if (!change->is_hidden || ph_task_look_noted(&wall->memory, task, &change->look))
        result = ph_stack_of_blocked(wall->unwinder, ph_tasks_folder(&wall->tasks), task, &change->look, &stack);
    else
        wall->unseen_count += (uint64_t)change->values[0];
    if (result == 0)
        blocked_at(wall, thread, change, &stack, task->label_set);
    else if (result == -ESRCH)
        thread->has_ended = true;
    else
        owe(thread, change->values); /* it runs again: the next answer tells with what */
}

/* ---- A round ---- */

void ph_wall_look(struct ph_wall *wall, struct ph_wall_thread *thread)
{
    struct ph_wall_change change = {.tid = thread->tid};
    if (thread->has_ended)
        return;
    if (is_unchanged(wall, thread)) {
        take_time(wall, thread, change.values);
        add_again(wall, thread->blocked_place, change.values);
        return;
    }
    int folder = ph_tasks_folder(&wall->tasks);
    int result = ph_task_look(folder, thread->tid, &change.look);
    if (result == -EACCES) {
        result = ph_task_look_light(folder, thread->tid, &change.look);
        change.is_hidden = true;
    }
    if (result < 0) {
        thread->has_ended = result == -ESRCH;
        return;
    }
    ph_task_look_done(&change.look); /* there may be many: their descriptors cannot all be kept */
    take_time(wall, thread, change.values);
    if (change.look.is_blocked) {
        wall->changes[wall->change_count++] = change;
        return;
    }
    owe(thread, change.values);
    ask(wall, thread);
}

void ph_wall_take_stacks(struct ph_wall *wall, int64_t until_ns)
{
    if (wall->change_count || wall->asked_count) {
        bool has_changed = ph_unwinder_refresh(wall->unwinder);
        ph_mappings_refresh(&wall->sampled.mappings, has_changed);
    }
    for (size_t i = 0; i < wall->change_count; i++)
        take_change(wall, &wall->changes[i]);
    wall->change_count = 0;
    fetch_answers(wall);
    while (wall->asked_count && ph_clock_monotonic_ns() + ANSWER_NAP < until_ns) {
        nap();
        fetch_answers(wall);
    }
}

/* ---- Begin and end ---- */

static struct ph_wall_thread begin_thread(const struct ph_wall *wall, const struct ph_task *task, int64_t begin_ns)
{
    return (struct ph_wall_thread){
        .tid = task->tid,
        .name = ph_profile_string(wall->sampled.profile, task->name),
        .counted_ns = begin_ns,
        .blocked_place = NONE,
        .running_place = NONE,
    };
}

/* Both are sorted. Those that have ended are owed nothing any more. */
static void join(struct ph_wall *wall, struct ph_wall_thread *threads, int64_t begin_ns)
{
    size_t old = 0;
    for (size_t i = 0; i < wall->tasks.count; i++) {
        const struct ph_task *task = &wall->tasks.tasks[i];
        for (; old < wall->thread_count && wall->threads[old].tid < task->tid; old++)
            settle_owed(wall, &wall->threads[old], &wall->unanswered_count);
        if (old < wall->thread_count && wall->threads[old].tid == task->tid) {
            threads[i] = wall->threads[old++];
            threads[i].name = ph_profile_string(wall->sampled.profile, task->name);
        } else {
            threads[i] = begin_thread(wall, task, begin_ns);
        }
    }
    for (; old < wall->thread_count; old++)
        settle_owed(wall, &wall->threads[old], &wall->unanswered_count);
}

int ph_wall_scan(struct ph_wall *wall, int64_t begin_ns, struct ph_error *error)
{
    int result = ph_tasks_read(&wall->tasks, probe_of(wall), error);
    if (result < 0)
        return result;
    size_t room = wall->tasks.count + 1;
    struct ph_wall_thread *threads = malloc(room * sizeof(*threads));
    struct ph_wall_change *changes = malloc(room * sizeof(*changes));
    if (!threads || !changes) {
        free(threads);
        free(changes);
        return ph_error_set(error, -ENOMEM, "no memory for the list of threads");
    }
    join(wall, threads, begin_ns);
    free(wall->threads);
    free(wall->changes);
    wall->threads = threads;
    wall->changes = changes;
    wall->thread_count = wall->tasks.count;
    return 0;
}

static void settle(struct ph_wall *wall, struct ph_wall_thread *thread)
{
    int64_t period_ns = wall->sampled.profile->period, until_ns = wall->until_ns;
    int64_t left_ns = !thread->has_ended && until_ns > thread->counted_ns ? until_ns - thread->counted_ns : 0;
    const int64_t values[] = {(left_ns + period_ns / 2) / period_ns, left_ns};
    if (thread->is_blocked) {
        add_again(wall, thread->blocked_place, values);
    } else {
        thread->owed_count += values[0];
        thread->owed_ns += values[1];
    }
    settle_owed(wall, thread, &wall->unanswered_count);
}

void ph_wall_settle(struct ph_wall *wall)
{
    for (size_t i = 0; i < wall->asked_count; i++)
        probe_of(wall)->unask(wall->asked[i].ticket);
    wall->asked_count = 0;
    for (size_t i = 0; i < wall->thread_count; i++)
        settle(wall, &wall->threads[i]);
}
