/* deadlocks.c - cycles among the threads of a dump, of which each waits for a mutex of the next (thread_dump.h). */
#include "collect/deadlocks.h"

#include "model/labels.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

struct waiter {
    int64_t pid, tid, owner; /* pid 0: the only process of the dump */
    uint32_t next;           /* the waiter that holds what this one waits for; NONE */
    uint32_t round;          /* in which it was walked; 0: not yet */
};

static int64_t number_of(const struct ph_profile *dump, const struct ph_label *label)
{
    return label->text ? strtoll(ph_profile_text(dump, label->text), NULL, 10) : label->number;
}

static struct waiter read_waiter(const struct ph_profile *dump, const struct ph_sample *sample)
{
    struct waiter waiter = {.next = NONE};
    for (uint32_t i = 0; i < sample->label_count; i++) {
        const struct ph_label *label = &dump->labels[sample->first_label + i];
        const char *key = ph_profile_text(dump, label->key);
        if (strcmp(key, PH_LABEL_PID) == 0)
            waiter.pid = number_of(dump, label);
        else if (strcmp(key, PH_LABEL_TID) == 0)
            waiter.tid = number_of(dump, label);
        else if (strcmp(key, PH_LABEL_OWNER_TID) == 0)
            waiter.owner = number_of(dump, label);
    }
    return waiter;
}

static int compare_waiters(const void *left, const void *right)
{
    const struct waiter *a = left, *b = right;
    if (a->pid != b->pid)
        return a->pid < b->pid ? -1 : 1;
    return a->tid < b->tid ? -1 : a->tid > b->tid;
}

/* Those that wait for a thread, sorted, each with its place of the next. */
static uint32_t list_waiters(const struct ph_profile *dump, struct waiter *waiters)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < dump->sample_count; i++) {
        struct waiter waiter = read_waiter(dump, &dump->samples[i]);
        if (waiter.tid && waiter.owner)
            waiters[count++] = waiter;
    }
    qsort(waiters, count, sizeof(*waiters), compare_waiters);
    for (uint32_t i = 0; i < count; i++) {
        struct waiter key = {.pid = waiters[i].pid, .tid = waiters[i].owner};
        const struct waiter *next = bsearch(&key, waiters, count, sizeof(key), compare_waiters);
        waiters[i].next = next ? (uint32_t)(next - waiters) : NONE;
    }
    return count;
}

/* Begins with the least tid of the cycle, so that the same deadlock always reads the same. */
static void report(const struct waiter *waiters, uint32_t on_cycle, int64_t *tids,
                   void (*found)(void *context, int64_t pid, const int64_t *tids, size_t count), void *context)
{
    uint32_t first = on_cycle;
    for (uint32_t i = waiters[on_cycle].next; i != on_cycle; i = waiters[i].next)
        if (waiters[i].tid < waiters[first].tid)
            first = i;
    size_t count = 0;
    uint32_t i = first;
    do {
        tids[count++] = waiters[i].tid;
        i = waiters[i].next;
    } while (i != first);
    found(context, waiters[first].pid, tids, count);
}

/* Each waits for at most one: a walk that meets its own steps has found a cycle, one that meets those of an earlier walk nothing
 * new. */
static void walk_all(struct waiter *waiters, uint32_t count, int64_t *tids,
                     void (*found)(void *context, int64_t pid, const int64_t *tids, size_t count), void *context)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t round = i + 1, place = i;
        while (place != NONE && waiters[place].round == 0) {
            waiters[place].round = round;
            place = waiters[place].next;
        }
        if (place != NONE && waiters[place].round == round)
            report(waiters, place, tids, found, context);
    }
}

void ph_thread_dump_deadlocks(const struct ph_profile *dump,
                              void (*found)(void *context, int64_t pid, const int64_t *tids, size_t count),
                              void *context)
{
    struct waiter *waiters = calloc((size_t)dump->sample_count + 1, sizeof(*waiters));
    int64_t *tids = calloc((size_t)dump->sample_count + 1, sizeof(*tids));
    if (waiters && tids)
        walk_all(waiters, list_waiters(dump, waiters), tids, found, context);
    free(waiters);
    free(tids);
}
