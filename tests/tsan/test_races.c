/*
 * test_races.c - the tables that threads share without locks, under ThreadSanitizer: records of threads, own descriptors, sets of
 * labels, and the segment of a family.
 *
 * It links these files only: no sanitizer fits into a library that replaces malloc(). What they need of the rest of the
 * probe stands here.
 */
#include "family/segment.h"
#include "probe/counters.h"
#include "probe/guard.h"
#include "probe/labels.h"
#include "probe/own_fd.h"
#include "probe/real.h"
#include "probe/thread_table.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS 6
#define ROUNDS  3000

struct ph_probe_counters ph_counters;
__thread struct ph_tls ph_tls;
struct ph_real ph_real_table;
bool ph_real_resolved;

void ph_real_resolve(void)
{
    ph_real_table.close = close;
    ph_real_resolved = true;
}

static int wrong; /* atomic */

static void expect(int holds, const char *what)
{
    if (!holds && __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED) < 10)
        printf("# %s\n", what);
}

static void run_on_threads(void *(*body)(void *))
{
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, body, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static int report(int number, const char *what)
{
    int failed = wrong;
    printf("%s %d - %s\n", failed ? "not ok" : "ok", number, what);
    wrong = 0;
    return failed != 0;
}

/* ---- Records of threads: a slot that was claimed is nobody else's ------------------------------------------------- */

static void *use_slots(void *number)
{
    struct ph_thread_slot *mine[4];
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < 4; i++) {
            mine[i] = ph_thread_slot_claim();
            if (!mine[i])
                return NULL;
            mine[i]->argument = number; /* plain: whoever holds the slot, holds this */
            __atomic_store_n(&mine[i]->record.tid, (pid_t)(long)number + 1, __ATOMIC_RELEASE);
        }
        for (int i = 0; i < 4; i++) {
            expect(mine[i]->argument == number, "a slot has two owners");
            ph_thread_slot_release(mine[i]);
        }
        uint32_t count = ph_thread_slot_count();
        for (uint32_t i = 1; i <= count; i++) /* what a reader of the list does first */
            expect(ph_thread_slot_at(i) != NULL &&
                       __atomic_load_n(&ph_thread_slot_at(i)->record.tid, __ATOMIC_ACQUIRE) >= 0,
                   "a slot that is counted is not there");
    }
    return NULL;
}

/* ---- Own descriptors ---------------------------------------------------------------------------------------------- */

static void *use_descriptors(void *unused)
{
    for (int round = 0; round < ROUNDS; round++) {
        int fd = ph_own_fd_take(open("/dev/null", O_RDONLY | O_CLOEXEC));
        expect(fd > 2 && ph_own_fd_has(fd), "what was taken is not ours");
        expect(ph_own_fd_next(0) != PH_OWN_FD_NONE, "there is none of ours");
        ph_own_fd_drop(fd);
        close(fd);
    }
    return unused;
}

/* ---- The segment: members come and go, a reader finds no half of anything ------------------------------------------ */

static struct ph_segment *segment;

static void *use_segment(void *number)
{
    static struct ph_member members[THREADS][PH_MEMBERS_MAX];
    struct ph_member *seen = members[(long)number];
    char url[PH_SEGMENT_URL_BYTES], expected[PH_SEGMENT_URL_BYTES];
    for (int round = 0; round < ROUNDS / 30; round++) {
        uint32_t row = 0;
        expect(ph_segment_join(segment, &row) == 0, "there is no room");
        if (number == NULL) { /* the URL has one writer: the front */
            memset(url, 'a' + round % 26, sizeof(url) - 1);
            url[sizeof(url) - 1] = '\0';
            ph_segment_set_url(segment, url);
        }
        ph_segment_url(segment, url);
        memset(expected, url[0], strlen(url));
        expect(strncmp(url, expected, strlen(url)) == 0, "half of one URL and half of another");
        size_t count = ph_segment_members(segment, seen, PH_MEMBERS_MAX);
        for (size_t i = 0; i < count && i < PH_MEMBERS_MAX; i++)
            expect(seen[i].pid == getpid(), "a member that nobody is");
        if (ph_segment_succeed(segment, row))
            ph_segment_resign(segment, row);
        ph_segment_leave(segment, row);
    }
    return NULL;
}

/* ---- Sets of labels: what has a number is whole, and nobody has another one for it --------------------------------- */

#define LABEL_SETS 300

static uint32_t given[LABEL_SETS]; /* atomic; by the first who set it */

static void *use_labels(void *number)
{
    char value[16], own[16];
    snprintf(own, sizeof(own), "%ld", (long)number);
    for (int i = 0; i < LABEL_SETS; i++) {
        uint32_t set = 0, more = 0, back = 0, none = 0;
        snprintf(value, sizeof(value), "%d", i);
        expect(ph_labels_with(0, "same", value, &set) == 0 && ph_labels_with(set, "own", own, &more) == 0,
               "there is no room");
        expect(ph_labels_without(more, "own", &back) == 0 && back == set, "one set has two numbers");
        if (!__atomic_compare_exchange_n(&given[i], &none, set, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
            expect(none == set, "one set has two numbers on two threads");
        uint32_t others = __atomic_load_n(&given[(i + 7) % LABEL_SETS], __ATOMIC_ACQUIRE);
        snprintf(value, sizeof(value), "%d", (i + 7) % LABEL_SETS);
        expect(!others ||
                   (ph_label_set(others)->count == 1 && strcmp(ph_label_set(others)->labels[0].value, value) == 0),
               "a number stands for something else");
    }
    return NULL;
}

int main(void)
{
    struct ph_error error = {0};
    int failed = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    ph_real_resolve();
    run_on_threads(use_slots);
    failed |= report(1, "records of threads have one owner each");
    run_on_threads(use_descriptors);
    failed |= report(2, "own descriptors are known as long as they are open");
    expect(ph_segment_new(&segment, &error) == 0, "no segment");
    run_on_threads(use_segment);
    expect(ph_segment_members(segment, NULL, 0) == 0, "somebody has stayed");
    failed |= report(3, "a segment is read whole while members come and go");
    run_on_threads(use_labels);
    failed |= report(4, "a set of labels has one number");
    puts("1..4");
    return failed;
}
