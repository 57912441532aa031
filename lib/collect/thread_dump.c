#include "collect/thread_dump.h"

#include "base/clock.h"
#include "collect/mutexes.h"
#include "collect/sockets.h"
#include "collect/thread_seen.h"
#include "collect/wait_call.h"
#include "elf/modules.h"
#include "elf/symbolize.h"
#include "model/labels.h"
#include "task/task_file.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a thread waits for. All zero but fd: for nothing that is known. */
struct wait {
    struct ph_wait_call call;
    int fd; /* -1: none */
    const char *socket, *peer;
    uint64_t mutex;
    pid_t owner;
};

struct dump {
    const struct ph_probe *probe;
    struct ph_profile *profile;
    struct ph_modules modules;
    const struct ph_module **order;
    struct ph_memory memory;
    struct ph_tasks tasks;
    struct ph_arena arena;
    struct ph_thread_seen *seen;
    struct wait *waits; /* one for each of them */
    size_t count;
};

/* ---- The calls ---- */

/* Of poll() with one descriptor: clients of databases wait like this. */
static int descriptor_of(const struct dump *dump, const struct ph_wait_call *call)
{
    struct pollfd polled;
    if (call->poll_fds && ph_memory_read(&dump->memory, call->poll_fds, &polled, sizeof(polled)))
        return polled.fd;
    return call->fd;
}

static const char *hidden_call(int folder, pid_t tid)
{
    char wchan[64];
    ssize_t length = ph_task_file_read(folder, tid, "wchan", wchan, sizeof(wchan) - 1);
    wchan[length > 0 ? length : 0] = '\0';
    return ph_wait_call_of_wchan(wchan);
}

static struct wait decode_wait(const struct dump *dump, const struct ph_thread_seen *seen)
{
    struct wait wait = {.fd = -1};
    if (!seen->look.is_blocked)
        return wait;
    wait.call = ph_wait_call_decode(seen->look.call, seen->look.arguments);
    wait.fd = descriptor_of(dump, &wait.call);
    if (seen->is_hidden)
        wait.call.name = hidden_call(ph_tasks_folder(&dump->tasks), seen->task.tid);
    return wait;
}

/* ---- Descriptors ---- */

static int find_sockets(struct dump *dump)
{
    struct ph_socket *sockets = calloc(dump->count + 1, sizeof(*sockets));
    size_t count = 0;
    if (!sockets)
        return -ENOMEM;
    for (size_t i = 0; i < dump->count; i++)
        if (dump->waits[i].fd >= 0)
            sockets[count++] =
                (struct ph_socket){.tid = dump->seen[i].task.tid, .fd = dump->waits[i].fd, .place = i};
    int result = ph_sockets_find(sockets, count, &dump->arena);
    for (size_t i = 0; i < count; i++) {
        dump->waits[sockets[i].place].socket = sockets[i].socket;
        dump->waits[sockets[i].place].peer = sockets[i].peer;
    }
    free(sockets);
    return result;
}

/* ---- Mutexes ---- */

static int compare_tid(const void *key, const void *element)
{
    pid_t tid = *(const pid_t *)key, other = ((const struct ph_thread_seen *)element)->task.tid;
    return tid < other ? -1 : tid > other;
}

/* Whoever ran since it was looked at may have got its mutex, and what was read of that is nobody's state. So what is left, also
 * over several threads, was so at one moment: a cycle of them is a deadlock. */
static void drop_unsteady(struct dump *dump)
{
    int folder = ph_tasks_folder(&dump->tasks);
    for (size_t i = 0; i < dump->count; i++) {
        struct wait *wait = &dump->waits[i];
        if (wait->owner && ph_task_look_again(folder, dump->seen[i].task.tid, &dump->seen[i].look) < 0)
            wait->owner = 0;
    }
}

static int find_mutexes(struct dump *dump)
{
    struct ph_mutex_wait *mutexes = calloc(dump->count + 1, sizeof(*mutexes));
    size_t count = 0;
    if (!mutexes)
        return -ENOMEM;
    for (size_t i = 0; i < dump->count; i++) {
        const struct ph_wait_call *call = &dump->waits[i].call;
        if (call->is_mutex_at_all)
            mutexes[count++] = (struct ph_mutex_wait){.futex = call->futex,
                                                      .is_lock = call->is_lock,
                                                      .is_mutex_at_all = true,
                                                      .frames = dump->seen[i].addresses,
                                                      .frame_count = dump->seen[i].count,
                                                      .place = i};
    }
    int result = ph_mutexes_find(&dump->modules, &dump->memory, mutexes, count);
    for (size_t i = 0; i < count; i++) {
        pid_t owner = mutexes[i].owner;
        bool is_ours = bsearch(&owner, dump->seen, dump->count, sizeof(*dump->seen), compare_tid) != NULL;
        dump->waits[mutexes[i].place].mutex = mutexes[i].mutex;
        dump->waits[mutexes[i].place].owner = is_ours ? owner : 0;
    }
    free(mutexes);
    drop_unsteady(dump);
    return result;
}

/* ---- Labels ---- */

struct labels {
    struct ph_profile *profile;
    struct ph_label list[16];
    uint32_t count;
};

static void add_text(struct labels *labels, const char *key, const char *text)
{
    if (text && *text)
        labels->list[labels->count++] = (struct ph_label){.key = ph_profile_string(labels->profile, key),
                                                          .text = ph_profile_string(labels->profile, text)};
}

static void add_number(struct labels *labels, const char *key, int64_t number, const char *unit)
{
    labels->list[labels->count++] = (struct ph_label){.key = ph_profile_string(labels->profile, key),
                                                      .number = number,
                                                      .unit = ph_profile_string(labels->profile, unit)};
}

/* proc(5), "/proc/pid/stat", field 3. Whoever blocked and was woken just now slept. */
static const char *state_text(char letter, bool is_blocked)
{
    static const struct {
        const char *letters, *text;
    } states[] = {{"D", "disk"}, {"Tt", "stopped"}, {"ZXx", "ended"}, {"?", "unanswered"}};
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (letter && strchr(states[i].letters, letter))
            return states[i].text;
    return is_blocked ? "sleeping" : "running";
}

static void label_wait(struct labels *labels, const struct wait *wait)
{
    char address[24];
    add_text(labels, PH_LABEL_CALL, wait->call.name);
    if (wait->fd >= 0)
        add_number(labels, PH_LABEL_FD, wait->fd, "");
    add_text(labels, PH_LABEL_SOCKET, wait->socket);
    add_text(labels, PH_LABEL_PEER, wait->peer);
    snprintf(address, sizeof(address), "0x%" PRIx64, wait->mutex);
    if (wait->mutex)
        add_text(labels, PH_LABEL_MUTEX, address);
    if (wait->owner)
        add_number(labels, PH_LABEL_OWNER_TID, wait->owner, "");
}

static void add_thread(struct dump *dump, size_t place, int64_t now_ns)
{
    const struct ph_thread_seen *seen = &dump->seen[place];
    struct labels labels = {.profile = dump->profile};
    struct ph_task_stack stack = {.count = seen->count};
    const int64_t one = 1;
    add_text(&labels, PH_LABEL_THREAD, seen->name);
    add_number(&labels, PH_LABEL_TID, seen->task.tid, "");
    add_text(&labels, PH_LABEL_STATE, state_text(seen->state, seen->look.is_blocked));
    add_number(&labels, PH_LABEL_CPU, (int64_t)seen->look.cpu_ns, "nanoseconds");
    label_wait(&labels, &dump->waits[place]);
    if (seen->look.is_blocked && seen->task.waits_since_ns)
        add_number(&labels, PH_LABEL_SINCE, now_ns - (int64_t)seen->task.waits_since_ns, "nanoseconds");
    add_text(&labels, PH_LABEL_TRUNCATED, seen->why);
    if (seen->is_interrupted)
        add_number(&labels, PH_LABEL_INTERRUPTED, 1, "");
    if (seen->count)
        memcpy(stack.addresses, seen->addresses, seen->count * sizeof(*seen->addresses));
    ph_stack_into_profile(dump->profile, &dump->modules, dump->order, &stack, labels.list, labels.count,
                          dump->probe->label_set(seen->label_set), &one);
}

/* ---- The whole ---- */

static int fill(struct dump *dump)
{
    dump->waits = calloc(dump->count + 1, sizeof(*dump->waits));
    dump->order = calloc(dump->modules.count + 1, sizeof(struct ph_module *));
    if (!dump->waits || !dump->order)
        return -ENOMEM;
    for (size_t i = 0; i < dump->count; i++)
        dump->waits[i] = decode_wait(dump, &dump->seen[i]);
    int64_t now_ns = ph_clock_monotonic_ns();
    int result = find_mutexes(dump);
    if (result == 0)
        result = find_sockets(dump);
    if (result == 0)
        result = ph_modules_into_profile(&dump->modules, dump->profile, dump->order);
    for (size_t i = 0; result == 0 && i < dump->count; i++)
        add_thread(dump, i, now_ns);
    return result;
}

static int see(struct dump *dump, struct ph_error *error)
{
    struct ph_unwinder *unwinder;
    int result = ph_unwinder_new(&unwinder, error);
    if (result < 0)
        return result;
    result = ph_threads_see(dump->probe, unwinder, &dump->memory, &dump->tasks, &dump->arena, &dump->seen,
                            &dump->count, error);
    ph_unwinder_free(unwinder);
    return result;
}

/* The modules are listed after the stacks are taken: so they hold what a dlopen() has brought meanwhile. */
static int take(struct dump *dump, bool bare, struct ph_error *error)
{
    int64_t began_ns = ph_clock_monotonic_ns();
    int result = see(dump, error);
    if (result < 0)
        return result;
    result = ph_modules_self(&dump->modules, error);
    if (result < 0)
        return result;
    result = fill(dump);
    dump->profile->duration_ns = ph_clock_monotonic_ns() - began_ns;
    if (result == 0 && !bare)
        result = ph_symbolize(dump->profile, &dump->modules);
    ph_modules_fini(&dump->modules);
    return result;
}

static int collect(const struct ph_probe *probe, bool bare, struct ph_profile **ret_profile, struct ph_error *error)
{
    struct dump dump = {.probe = probe, .profile = ph_profile_new(), .arena = PH_ARENA_INIT};
    if (!dump.profile)
        return ph_error_set(error, -ENOMEM, "no memory for the profile");
    ph_profile_add_type(dump.profile, "threads", "count");
    dump.profile->period_type = dump.profile->types[0];
    dump.profile->period = 1;
    dump.profile->time_ns = ph_clock_realtime_ns();
    ph_memory_open(&dump.memory);
    int result = take(&dump, bare, error);
    if (result == 0)
        result = ph_profile_status(dump.profile);
    ph_memory_close(&dump.memory);
    ph_tasks_fini(&dump.tasks);
    free(dump.seen);
    free(dump.waits);
    free(dump.order);
    ph_arena_fini(&dump.arena);
    if (result < 0) {
        ph_profile_free(dump.profile);
        return result == -ENOMEM ? ph_error_set(error, -ENOMEM, "no memory for the threads") : result;
    }
    *ret_profile = dump.profile;
    return 0;
}

int ph_thread_dump_collect(const struct ph_probe *probe, struct ph_profile **ret_profile, struct ph_error *error)
{
    return collect(probe, false, ret_profile, error);
}

int ph_thread_dump_collect_bare(const struct ph_probe *probe, struct ph_profile **ret_profile,
                                struct ph_error *error)
{
    return collect(probe, true, ret_profile, error);
}
