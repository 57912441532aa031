#include "server/threads_view.h"

#include "collect/deadlocks.h"
#include "model/labels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- labels as fields ---- */

#define FIELD(key, member, is_text)                                                                                \
    {                                                                                                              \
        key, offsetof(struct ph_thread_row, member), is_text                                                       \
    }

static const struct field {
    const char *key;
    size_t offset;
    bool is_text;
} fields[] = {
    FIELD(PH_LABEL_THREAD, name, true),
    FIELD(PH_LABEL_TID, tid, false),
    FIELD(PH_LABEL_STATE, state, true),
    FIELD(PH_LABEL_CPU, cpu_ns, false),
    FIELD(PH_LABEL_CALL, call, true),
    FIELD(PH_LABEL_FD, fd, false),
    FIELD(PH_LABEL_SOCKET, socket, true),
    FIELD(PH_LABEL_PEER, peer, true),
    FIELD(PH_LABEL_MUTEX, mutex, true),
    FIELD(PH_LABEL_OWNER_TID, owner_tid, false),
    FIELD(PH_LABEL_SINCE, since_ns, false),
    FIELD(PH_LABEL_TRUNCATED, truncated, true),
    FIELD(PH_LABEL_INTERRUPTED, interrupted, false),
};

#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

static const struct field *find_field(const char *key)
{
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (strcmp(fields[i].key, key) == 0)
            return &fields[i];
    return NULL;
}

bool ph_label_is_own(const struct ph_profile *profile, const struct ph_label *label)
{
    static const char *const others[] = {PH_LABEL_PID, PH_LABEL_ORIGIN, PH_LABEL_ORIGIN_PID};
    const char *key = ph_profile_text(profile, label->key);
    bool is_own = find_field(key) != NULL;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        is_own = is_own || strcmp(others[i], key) == 0;
    return is_own;
}

static void read_label(const struct ph_profile *profile, const struct ph_label *label, struct ph_thread_row *row)
{
    const char *key = ph_profile_text(profile, label->key), *text = ph_profile_text(profile, label->text);
    const struct field *field = find_field(key);
    if (strcmp(key, PH_LABEL_PID) == 0)
        row->pid = strtoll(text, NULL, 10);
    else if (field && field->is_text)
        *(const char **)(void *)((char *)row + field->offset) = text;
    else if (field && !label->text)
        *(int64_t *)(void *)((char *)row + field->offset) = label->number;
}

static void read_row(const struct ph_profile *profile, const struct ph_sample *sample, struct ph_thread_row *row)
{
    *row = (struct ph_thread_row){
        .sample = sample,
        .name = "",
        .state = "",
        .call = "",
        .socket = "",
        .peer = "",
        .mutex = "",
        .truncated = "",
        .tid = -1,
        .cpu_ns = -1,
        .fd = -1,
        .owner_tid = -1,
        .since_ns = -1,
    };
    for (uint32_t i = 0; i < sample->label_count; i++)
        read_label(profile, &profile->labels[sample->first_label + i], row);
}

/* ---- the view ---- */

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_number(const void *a, const void *b)
{
    const struct ph_thread_row *const *left = a, *const *right = b;
    int order = compare_numbers((*left)->pid, (*right)->pid);
    return order ? order : compare_numbers((*left)->tid, (*right)->tid);
}

static void keep_deadlock(void *context, int64_t pid, const int64_t *tids, size_t count)
{
    struct ph_threads_view *view = context;
    struct ph_deadlock *grown = reallocarray(view->deadlocks, view->deadlock_count + 1, sizeof(*grown));
    int64_t *copy = reallocarray(NULL, count, sizeof(*copy));
    if (grown)
        view->deadlocks = grown;
    if (!grown || !copy) {
        free(copy);
        view->status = -ENOMEM;
        return;
    }
    memcpy(copy, tids, count * sizeof(*copy));
    grown[view->deadlock_count++] = (struct ph_deadlock){pid, copy, count};
}

int ph_threads_view_make(const struct ph_profile *dump, struct ph_threads_view *ret_view)
{
    struct ph_threads_view view = {.profile = dump, .count = dump->sample_count};
    view.rows = calloc(view.count + 1, sizeof(*view.rows));
    view.order = calloc(view.count + 1, sizeof(*view.order));
    int status = view.rows && view.order ? ph_stack_groups_make(dump, &view.groups) : -ENOMEM;
    for (size_t i = 0; status == 0 && i < view.count; i++) {
        read_row(dump, &dump->samples[i], &view.rows[i]);
        view.order[i] = &view.rows[i];
    }
    if (status == 0) {
        qsort(view.order, view.count, sizeof(*view.order), by_number);
        ph_thread_dump_deadlocks(dump, keep_deadlock, &view);
        status = view.status;
    }
    if (status < 0)
        ph_threads_view_fini(&view);
    else
        *ret_view = view;
    return status;
}

void ph_threads_view_fini(struct ph_threads_view *view)
{
    for (size_t i = 0; i < view->deadlock_count; i++)
        free(view->deadlocks[i].tids);
    free(view->deadlocks);
    free(view->rows);
    free(view->order);
    ph_stack_groups_fini(&view->groups);
}

const struct ph_thread_row *ph_threads_view_find(const struct ph_threads_view *view, int64_t pid, int64_t tid)
{
    const struct ph_thread_row wanted = {.pid = pid, .tid = tid}, *key = &wanted;
    const struct ph_thread_row **found = bsearch(&key, view->order, view->count, sizeof(*view->order), by_number);
    return found ? *found : NULL;
}

size_t ph_threads_view_interrupted(const struct ph_threads_view *view)
{
    size_t count = 0;
    for (size_t i = 0; i < view->count; i++)
        count += view->rows[i].interrupted > 0;
    return count;
}

bool ph_thread_row_waits(const struct ph_thread_row *row)
{
    return row->call[0] || row->mutex[0];
}

struct ph_shown_frame ph_thread_row_frame(const struct ph_profile *dump, const struct ph_thread_row *row,
                                          uint32_t index)
{
    const struct ph_location *location = ph_profile_location(dump, dump->frames[row->sample->first_frame + index]);
    struct ph_shown_frame frame = {
        .address = location->address + (index > 0), .module = "", .function = "", .file = ""};
    if (location->mapping) {
        const struct ph_mapping *mapping = &dump->mappings[location->mapping - 1];
        frame.module = ph_profile_text(dump, mapping->file);
        frame.offset = frame.address - mapping->start + mapping->offset;
    }
    if (location->line_count) {
        const struct ph_line *line = &dump->lines[location->first_line];
        const struct ph_function *function = &dump->functions[line->function - 1];
        frame.function = ph_profile_text(dump, function->name);
        frame.file = ph_profile_text(dump, function->file);
        frame.line = line->line;
    }
    return frame;
}
