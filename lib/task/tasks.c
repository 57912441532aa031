#include "task/tasks.h"

#include "base/scan.h"
#include "task/task_file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64
#define MARGIN         64 /* threads that start between two looks */

/* A record of the registry by its tid, so that the large records need not be moved. */
struct ph_task_order {
    pid_t tid;
    uint32_t place;
};

/* ---- The registry ---- */

static int compare_order(const void *left, const void *right)
{
    const struct ph_task_order *a = left, *b = right;
    return a->tid < b->tid ? -1 : a->tid > b->tid;
}

static int grow_registry(struct ph_tasks *tasks, size_t wanted)
{
    size_t capacity = wanted + MARGIN;
    struct ph_thread *threads = realloc(tasks->threads, capacity * sizeof(*threads));
    if (!threads)
        return -ENOMEM;
    tasks->threads = threads;
    struct ph_task_order *order = realloc(tasks->order, capacity * sizeof(*order));
    if (!order)
        return -ENOMEM;
    tasks->order = order;
    tasks->thread_capacity = capacity;
    return 0;
}

/* All records, in tasks->threads, and their order by tid. How many; -ENOMEM. */
static ssize_t read_registry(struct ph_tasks *tasks)
{
    size_t count;
    while ((count = tasks->probe->threads(tasks->threads, tasks->thread_capacity)) > tasks->thread_capacity ||
           !tasks->threads)
        if (grow_registry(tasks, count) < 0)
            return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        tasks->order[i] = (struct ph_task_order){tasks->threads[i].tid, (uint32_t)i};
    qsort(tasks->order, count, sizeof(*tasks->order), compare_order);
    return (ssize_t)count;
}

static void take_record(struct ph_task *task, const struct ph_thread *thread)
{
    task->is_recorded = true;
    task->slot = thread->slot;
    task->stack_high = thread->stack_high;
    task->waits_since_ns = thread->waits_since_ns;
    task->wait_frame = thread->wait_frame;
    task->label_set = thread->label_set;
}

static void forget_record(struct ph_task *task)
{
    task->is_recorded = false;
    task->waits_since_ns = task->wait_frame = task->label_set = 0;
}

/* Puts what the registry knows into the tasks; both are sorted. Own threads and those that never started are left out. */
static void join(struct ph_tasks *tasks, size_t record_count)
{
    size_t kept = 0, next = 0;
    for (size_t i = 0; i < tasks->count; i++) {
        struct ph_task task = tasks->tasks[i];
        while (next < record_count && tasks->order[next].tid < task.tid)
            next++;
        if (next < record_count && tasks->order[next].tid == task.tid) {
            const struct ph_thread *thread = &tasks->threads[tasks->order[next].place];
            if (thread->own)
                continue;
            take_record(&task, thread);
        } else {
            forget_record(&task);
        }
        tasks->tasks[kept++] = task;
    }
    tasks->count = kept;
}

static int join_registry(struct ph_tasks *tasks)
{
    ssize_t record_count = read_registry(tasks);
    if (record_count < 0)
        return (int)record_count;
    join(tasks, (size_t)record_count);
    return 0;
}

/* ---- The listing ---- */

static int compare_tasks(const void *left, const void *right)
{
    const struct ph_task *a = left, *b = right;
    return a->tid < b->tid ? -1 : a->tid > b->tid;
}

static struct ph_task *find(const struct ph_tasks *tasks, pid_t tid)
{
    const struct ph_task key = {.tid = tid};
    return tasks->count ? bsearch(&key, tasks->tasks, tasks->count, sizeof(key), compare_tasks) : NULL;
}

const struct ph_task *ph_tasks_find(const struct ph_tasks *tasks, pid_t tid)
{
    return find(tasks, tid);
}

/* One that was not recorded may just have begun, and be one of ours. */
const struct ph_task *ph_tasks_note(struct ph_tasks *tasks, pid_t tid)
{
    struct ph_thread thread;
    struct ph_task *task = find(tasks, tid);
    if (task && !task->is_recorded)
        return join_registry(tasks) == 0 ? find(tasks, tid) : task;
    if (task && tasks->probe->thread(task->slot, tid, &thread))
        take_record(task, &thread);
    else if (task)
        forget_record(task);
    return task;
}

static int add_task(struct ph_tasks *tasks, pid_t tid)
{
    if (tasks->count == tasks->capacity) {
        size_t capacity = tasks->capacity ? 2 * tasks->capacity : FIRST_CAPACITY;
        struct ph_task *grown = realloc(tasks->tasks, capacity * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        tasks->tasks = grown;
        tasks->capacity = capacity;
    }
    tasks->tasks[tasks->count++] = (struct ph_task){.tid = tid};
    return 0;
}

static int list(struct ph_tasks *tasks, DIR *folder)
{
    const struct dirent *entry;
    while ((entry = readdir(folder))) {
        uint64_t tid;
        struct ph_scan name = ph_scan_over(entry->d_name, strlen(entry->d_name));
        if (ph_scan_decimal(&name, &tid) && add_task(tasks, (pid_t)tid) < 0)
            return -ENOMEM;
    }
    return 0;
}

static void read_name(int folder, struct ph_task *task)
{
    ssize_t count = ph_task_file_read(folder, task->tid, "comm", task->name, sizeof(task->name));
    size_t length = count > 0 ? (size_t)count - 1 : 0; /* without its line end */
    task->name[length < sizeof(task->name) ? length : sizeof(task->name) - 1] = '\0';
}

/* A name costs as much as a look: those of @before, sorted, are taken over. */
static void read_names(struct ph_tasks *tasks, const struct ph_task *before, size_t before_count)
{
    size_t next = 0;
    for (size_t i = 0; i < tasks->count; i++) {
        struct ph_task *task = &tasks->tasks[i];
        while (next < before_count && before[next].tid < task->tid)
            next++;
        if (next < before_count && before[next].tid == task->tid && before[next].is_named_twice) {
            memcpy(task->name, before[next].name, sizeof(task->name));
            task->is_named_twice = true;
        } else {
            read_name(ph_tasks_folder(tasks), task);
            task->is_named_twice = next < before_count && before[next].tid == task->tid;
        }
    }
}

/* One of ours that has been made and has not run yet is not in the registry; it has the name of the one that made it. */
static void leave_out_own(struct ph_tasks *tasks)
{
    static const char prefix[] = "porthole/";
    size_t kept = 0;
    for (size_t i = 0; i < tasks->count; i++)
        if (tasks->tasks[i].is_recorded || strncmp(tasks->tasks[i].name, prefix, sizeof(prefix) - 1) != 0)
            tasks->tasks[kept++] = tasks->tasks[i];
    tasks->count = kept;
}

static int read_tasks(struct ph_tasks *tasks, const struct ph_task *before, size_t before_count)
{
    int result = list(tasks, tasks->folder);
    if (result < 0)
        return result;
    qsort(tasks->tasks, tasks->count, sizeof(*tasks->tasks), compare_tasks);
    result = join_registry(tasks);
    if (result < 0)
        return result;
    if (!tasks->is_nameless) {
        read_names(tasks, before, before_count);
        leave_out_own(tasks);
    }
    return 0;
}

/* Kept open: the way to it is longer than from there to the files of a thread. */
static int open_folder(struct ph_tasks *tasks)
{
    if (tasks->folder)
        rewinddir(tasks->folder);
    else
        tasks->folder = opendir("/proc/self/task");
    return tasks->folder ? 0 : -errno;
}

int ph_tasks_folder(const struct ph_tasks *tasks)
{
    return tasks->folder ? dirfd(tasks->folder) : -1;
}

int ph_tasks_read(struct ph_tasks *tasks, const struct ph_probe *probe, struct ph_error *error)
{
    int result = open_folder(tasks);
    if (result < 0)
        return ph_error_set(error, result, "cannot list /proc/self/task: %s", strerror(-result));
    struct ph_task *before = tasks->tasks;
    size_t before_count = tasks->count;
    tasks->tasks = tasks->spare;
    tasks->spare = before;
    size_t capacity = tasks->capacity;
    tasks->capacity = tasks->spare_capacity;
    tasks->spare_capacity = capacity;
    tasks->count = 0;
    tasks->probe = probe;
    result = read_tasks(tasks, before, before_count);
    if (result == -ENOMEM)
        ph_error_set(error, result, "no memory for the list of threads");
    return result;
}

void ph_tasks_fini(struct ph_tasks *tasks)
{
    if (tasks->folder)
        closedir(tasks->folder);
    free(tasks->tasks);
    free(tasks->spare);
    free(tasks->threads);
    free(tasks->order);
    *tasks = (struct ph_tasks){0};
}
