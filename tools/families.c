#include "tools/families.h"

#include "base/clock.h"
#include "model/grow.h"
#include "tools/family_answer.h"
#include "tools/instances.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOGETHER_COUNT     128               /* asked at a time, so that descriptors suffice */
#define BROTHERS_GROWTH    4                 /* so many times more of them are asked each time */
#define ANSWER_LIMIT_BYTES ((size_t)8 << 20) /* 4,096 processes with long command lines */

/* Beside each instance while it is being found out about. */
struct seeker {
    struct ph_proc_status status;
    bool is_asked;
    bool is_new; /* asked just now */
};

struct search {
    const struct ph_families_source *source;
    struct ph_families *families;
    struct seeker *seekers;
    size_t listening_count; /* the first of the items, by pid; behind them are those who were only told of */
    uint32_t brothers_max;
    int64_t end_ns;
    long timeout_ms;
    int status;
};

/* ---- whom to ask ---- */

static int compare_pids(const void *a, const void *b)
{
    pid_t left = ((const struct ph_instance *)a)->pid, right = ((const struct ph_instance *)b)->pid;
    return (left > right) - (left < right);
}

static struct ph_instance *find_instance(const struct search *search, pid_t pid)
{
    struct ph_families *families = search->families;
    struct ph_instance key = {.pid = pid};
    struct ph_instance *found = bsearch(&key, families->items, search->listening_count, sizeof(key), compare_pids);
    for (size_t i = search->listening_count; i < families->count && !found; i++)
        if (families->items[i].pid == pid)
            found = &families->items[i];
    return found;
}

static bool is_open(const struct search *search, size_t i)
{
    return !search->seekers[i].is_asked && !search->families->items[i].is_told;
}

/* A parent names its children. */
static bool waits_for_parent(const struct search *search, size_t i)
{
    const struct ph_instance *parent = find_instance(search, search->seekers[i].status.ppid);
    size_t at = parent ? (size_t)(parent - search->families->items) : search->listening_count;
    return at < search->listening_count && at != i && is_open(search, at);
}

static bool are_brothers(const struct seeker *a, const struct seeker *b)
{
    return a->status.ppid == b->status.ppid && strcmp(a->status.name, b->status.name) == 0;
}

/* Into @ret_chosen, places of items. */
static size_t choose(const struct search *search, size_t ret_chosen[TOGETHER_COUNT])
{
    size_t count = 0;
    for (size_t i = 0; i < search->listening_count && count < TOGETHER_COUNT; i++) {
        uint32_t brothers = 0;
        if (!is_open(search, i) || waits_for_parent(search, i))
            continue;
        for (size_t j = 0; j < count; j++)
            brothers += are_brothers(&search->seekers[ret_chosen[j]], &search->seekers[i]);
        if (brothers < search->brothers_max)
            ret_chosen[count++] = i;
    }
    return count;
}

/* ---- what they say ---- */

static bool is_believed(const struct search *search, uid_t speaker, pid_t pid)
{
    struct ph_proc_status status;
    if (speaker == 0 || speaker == geteuid())
        return true;
    search->source->look(search->source->context, pid, &status);
    return speaker != (uid_t)-1 && speaker == status.user;
}

static struct ph_instance *add_instance(struct search *search, pid_t pid)
{
    struct ph_families *families = search->families;
    search->status = ph_grow(&families->items, sizeof(*families->items), (uint32_t)families->count, 1);
    if (search->status < 0)
        return NULL;
    families->items[families->count] =
        (struct ph_instance){.pid = pid, .family = pid, .uptime_seconds = -1, .rss_bytes = -1};
    return &families->items[families->count++];
}

/* What a process answers for itself counts more than what another says. */
static bool is_to_be_told(const struct search *search, const struct ph_instance *instance)
{
    size_t i = (size_t)(instance - search->families->items);
    return i >= search->listening_count || !search->seekers[i].is_new || instance->error.code;
}

static void take_row(struct search *search, const struct ph_family_answer *answer, size_t row, pid_t speaker)
{
    pid_t pid = ph_family_answer_pid(answer, row);
    struct ph_instance *instance = find_instance(search, pid);
    if (!instance)
        instance = add_instance(search, pid);
    if (instance && !instance->is_told && (pid == speaker || is_to_be_told(search, instance)))
        ph_family_answer_take(answer, row, instance);
}

static void take_answer(struct search *search, size_t place, const struct ph_http_answer *http)
{
    pid_t speaker = search->families->items[place].pid;
    uid_t user = search->seekers[place].status.user;
    struct ph_family_answer answer;
    struct ph_error error = {0};
    if (ph_family_answer_parse(http->body.data, http->body.size_bytes, speaker, &answer, &error) < 0) {
        search->families->items[place].error = error;
        return;
    }
    for (size_t row = 0; row < answer.count && search->status == 0; row++) {
        pid_t pid = ph_family_answer_pid(&answer, row);
        if (pid > 0 && (pid == speaker || is_believed(search, user, pid)))
            take_row(search, &answer, row, speaker);
    }
    ph_family_answer_fini(&answer);
}

/* ---- asking ---- */

static void take_errors(struct search *search, const size_t *chosen, size_t count, struct ph_http_answer *answers)
{
    for (size_t i = 0; i < count; i++) {
        struct ph_instance *instance = &search->families->items[chosen[i]];
        instance->error = answers[i].error;
        if (instance->error.code && ph_instance_is_foreign(instance->pid))
            ph_error_set(&instance->error, -EACCES, "it answers only its own user and root");
        search->seekers[chosen[i]].is_asked = search->seekers[chosen[i]].is_new = true;
    }
}

static void ask_round(struct search *search, const size_t *chosen, size_t count, long timeout_ms)
{
    struct ph_http_answer *answers = calloc(count, sizeof(*answers));
    pid_t pids[TOGETHER_COUNT];
    search->status = answers ? 0 : -ENOMEM;
    if (search->status < 0)
        return;
    for (size_t i = 0; i < count; i++)
        pids[i] = search->families->items[chosen[i]].pid;
    search->source->ask(search->source->context, pids, count, timeout_ms, answers);
    take_errors(search, chosen, count, answers);
    for (size_t i = 0; i < count; i++)
        if (answers[i].error.code == 0)
            take_answer(search, chosen[i], &answers[i]);
    for (size_t i = 0; i < count; i++) {
        search->seekers[chosen[i]].is_new = false;
        ph_http_fini(&answers[i]);
    }
    free(answers);
}

static void give_up(struct search *search)
{
    for (size_t i = 0; i < search->listening_count; i++)
        if (is_open(search, i))
            ph_error_set(&search->families->items[i].error, -ETIMEDOUT, "not asked: others took too long");
}

static void ask_all(struct search *search)
{
    size_t chosen[TOGETHER_COUNT], count;
    while (search->status == 0 && (count = choose(search, chosen)) > 0) {
        int64_t left_ms = (search->end_ns - ph_clock_monotonic_ns()) / PH_NS_PER_MS;
        if (left_ms <= 0) {
            give_up(search);
            return;
        }
        ask_round(search, chosen, count, left_ms < search->timeout_ms ? (long)left_ms : search->timeout_ms);
        if (search->brothers_max < TOGETHER_COUNT)
            search->brothers_max *= BROTHERS_GROWTH;
    }
}

/* ---- the result ---- */

static int by_family(const void *a, const void *b)
{
    const struct ph_instance *x = a, *y = b;
    if (x->family != y->family)
        return x->family < y->family ? -1 : 1;
    bool x_leads = x->pid == x->family, y_leads = y->pid == y->family;
    return x_leads != y_leads ? (x_leads ? -1 : 1) : compare_pids(a, b);
}

/* The name and command of one of whom nobody tells. */
static void describe_silent(struct search *search)
{
    for (size_t i = 0; i < search->listening_count; i++) {
        struct ph_instance *instance = &search->families->items[i];
        const struct ph_proc_status *status = &search->seekers[i].status;
        if (!instance->ppid)
            instance->ppid = status->ppid;
        if (!instance->name && status->name[0])
            instance->name = strdup(status->name);
        if (!instance->command)
            instance->command = ph_instance_command(instance->pid);
    }
}

int ph_families_make(const struct ph_families_source *source, const pid_t *pids, size_t count, long timeout_ms,
                     struct ph_families *ret_families)
{
    struct ph_families families = {0};
    struct search search = {
        .source = source,
        .families = &families,
        .seekers = calloc(count + 1, sizeof(*search.seekers)),
        .brothers_max = 1,
        .end_ns = ph_clock_monotonic_ns() + PH_FAMILIES_PATIENCE * timeout_ms * PH_NS_PER_MS,
        .timeout_ms = timeout_ms,
    };
    search.status = search.seekers ? 0 : -ENOMEM;
    for (size_t i = 0; i < count && search.status == 0; i++)
        if (add_instance(&search, pids[i]))
            source->look(source->context, pids[i], &search.seekers[i].status);
    search.listening_count = families.count;
    if (search.status == 0)
        ask_all(&search);
    if (search.status == 0) {
        describe_silent(&search);
        if (families.count)
            qsort(families.items, families.count, sizeof(*families.items), by_family);
        *ret_families = families;
    } else {
        ph_families_fini(&families);
    }
    free(search.seekers);
    return search.status;
}

void ph_families_fini(struct ph_families *families)
{
    for (size_t i = 0; i < families->count; i++) {
        free(families->items[i].url);
        free(families->items[i].name);
        free(families->items[i].command);
    }
    free(families->items);
    *families = (struct ph_families){0};
}

size_t ph_family_count(const struct ph_families *families, size_t first)
{
    size_t end = first;
    while (end < families->count && families->items[end].family == families->items[first].family)
        end++;
    return end - first;
}

/* ---- of this machine ---- */

/* Too large for a stack. */
struct questions {
    char names[TOGETHER_COUNT][PH_INSTANCE_SOCKET_MAX];
    struct ph_http_request requests[TOGETHER_COUNT];
};

static void ask_here(void *context, const pid_t *pids, size_t count, long timeout_ms,
                     struct ph_http_answer *ret_answers)
{
    struct questions *questions = context;
    for (size_t i = 0; i < count; i++) {
        ph_instance_socket(pids[i], questions->names[i]);
        questions->requests[i] = (struct ph_http_request){
            .url = "http://localhost/debug/processes?format=json",
            .abstract_socket = questions->names[i],
            .timeout_ms = timeout_ms,
            .limit_bytes = ANSWER_LIMIT_BYTES,
        };
    }
    ph_http_get(questions->requests, count, ret_answers);
}

static int look_here(void *context, pid_t pid, struct ph_proc_status *ret_status)
{
    (void)context;
    return ph_proc_status_read(pid, ret_status);
}

int ph_families_find(long timeout_ms, struct ph_families *ret_families, struct ph_error *error)
{
    pid_t *pids;
    size_t count;
    int failed = ph_instances_find(&pids, &count, error);
    if (failed)
        return failed;
    struct questions *questions = calloc(1, sizeof(*questions));
    struct ph_families_source here = {ask_here, look_here, questions};
    failed = questions ? ph_families_make(&here, pids, count, timeout_ms, ret_families) : -ENOMEM;
    if (failed)
        ph_error_set(error, failed, "out of memory");
    free(questions);
    free(pids);
    return failed;
}
