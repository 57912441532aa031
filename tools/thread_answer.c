#include "tools/thread_answer.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* ---- members of objects, whatever they are ---- */

static const char *text_of(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static int64_t number_of(json_t *object, const char *key, int64_t otherwise)
{
    json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

/* A number that is no less than @least, else @otherwise. */
static int64_t number_from(json_t *object, const char *key, int64_t least, int64_t otherwise)
{
    int64_t number = number_of(object, key, otherwise);
    return number < least ? otherwise : number;
}

/* "0x7f00" or a number. */
static uint64_t address_of(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    if (json_is_string(value))
        return strtoull(json_string_value(value), NULL, 0);
    return json_is_integer(value) ? (uint64_t)json_integer_value(value) : 0;
}

/* ---- threads ---- */

static struct ph_thread_frame frame_of(json_t *object)
{
    return (struct ph_thread_frame){
        .address = address_of(object, "address"),
        .offset = address_of(object, "offset"),
        .function = text_of(object, "function"),
        .module = text_of(object, "module"),
        .file = text_of(object, "file"),
        .line = number_from(object, "line", 1, 0),
    };
}

static struct ph_thread_wait wait_of(json_t *object)
{
    return (struct ph_thread_wait){
        .call = text_of(object, "call"),
        .socket = text_of(object, "socket"),
        .peer = text_of(object, "peer"),
        .mutex = address_of(object, "mutex"),
        .fd = number_from(object, "fd", 0, -1),
        .owner_tid = number_from(object, "owner_tid", 1, 0),
        .since_ns = number_from(object, "since_ns", 0, -1),
    };
}

static const char *keep(struct ph_thread_answer *answer, struct ph_buf *text)
{
    const char *copy = ph_buf_status(text) < 0 ? NULL : ph_arena_copy(&answer->text, text->data, text->size_bytes);
    ph_buf_fini(text);
    return copy;
}

/* NULL if memory is out. */
static const char *labels_of(struct ph_thread_answer *answer, json_t *labels)
{
    struct ph_buf text = PH_BUF_INIT;
    const char *key;
    json_t *value;
    if (json_object_size(labels) == 0)
        return "";
    json_object_foreach(labels, key, value)
    {
        ph_buf_printf(&text, "%s%s=", text.size_bytes ? ", " : "", key);
        if (json_is_integer(value))
            ph_buf_printf(&text, "%" PRId64, (int64_t)json_integer_value(value));
        else
            ph_buf_text(&text, json_is_string(value) ? json_string_value(value) : "?");
    }
    return keep(answer, &text);
}

/* Flags become a word: the server says why, or only that. */
static const char *truncated_of(json_t *object)
{
    json_t *value = json_object_get(object, "truncated");
    return json_is_true(value) ? "not complete" : text_of(object, "truncated");
}

static int take_frames(struct ph_thread_answer *answer, json_t *stack, struct ph_thread_row *row)
{
    size_t count = json_array_size(stack);
    if (count == 0)
        return 0;
    struct ph_thread_frame *frames = ph_arena_alloc(&answer->text, count * sizeof(*frames));
    if (!frames)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        frames[i] = frame_of(json_array_get(stack, i));
    row->frames = frames;
    row->frame_count = count;
    return 0;
}

static int take_row(struct ph_thread_answer *answer, json_t *object, struct ph_thread_row *row)
{
    *row = (struct ph_thread_row){
        .pid = number_from(object, "pid", 1, answer->pid < 0 ? 0 : answer->pid),
        .tid = number_from(object, "tid", 1, 0),
        .name = text_of(object, "name"),
        .state = text_of(object, "state"),
        .truncated = truncated_of(object),
        .labels = labels_of(answer, json_object_get(object, "labels")),
        .cpu_ns = number_from(object, "cpu_ns", 0, -1),
        .wait = wait_of(json_object_get(object, "wait")),
        .is_shown = true,
    };
    int failed = take_frames(answer, json_object_get(object, "stack"), row);
    return row->labels ? failed : -ENOMEM;
}

static int by_tid(const void *a, const void *b)
{
    const struct ph_thread_row *x = *(struct ph_thread_row *const *)a, *y = *(struct ph_thread_row *const *)b;
    return (x->tid > y->tid) - (x->tid < y->tid);
}

static int sort_rows(struct ph_thread_answer *answer)
{
    answer->by_tid = calloc(answer->row_count + 1, sizeof(*answer->by_tid));
    if (!answer->by_tid)
        return -ENOMEM;
    for (size_t i = 0; i < answer->row_count; i++)
        answer->by_tid[i] = &answer->rows[i];
    qsort(answer->by_tid, answer->row_count, sizeof(*answer->by_tid), by_tid);
    return 0;
}

static int take_rows(struct ph_thread_answer *answer, json_t *threads, struct ph_error *error)
{
    size_t count = json_array_size(threads);
    answer->rows = calloc(count + 1, sizeof(*answer->rows));
    if (!answer->rows)
        return ph_error_set(error, -ENOMEM, "out of memory");
    for (; answer->row_count < count; answer->row_count++) {
        json_t *object = json_array_get(threads, answer->row_count);
        if (!json_is_object(object))
            return ph_error_set(error, -EPROTO, "thread %zu is no object", answer->row_count);
        if (take_row(answer, object, &answer->rows[answer->row_count]) < 0)
            return ph_error_set(error, -ENOMEM, "out of memory");
    }
    answer->shown_count = count;
    return sort_rows(answer) < 0 ? ph_error_set(error, -ENOMEM, "out of memory") : 0;
}

/* ---- deadlocks and comments ---- */

/* [tid, …], or of a family {"pid": …, "tids": [tid, …]}. */
static int take_cycle(struct ph_thread_answer *answer, json_t *value)
{
    json_t *tids = json_is_object(value) ? json_object_get(value, "tids") : value;
    struct ph_thread_cycle *cycle = &answer->cycles[answer->cycle_count];
    size_t count = json_array_size(tids);
    if (count == 0)
        return 0;
    cycle->tids = ph_arena_alloc(&answer->text, count * sizeof(*cycle->tids));
    if (!cycle->tids)
        return -ENOMEM;
    for (cycle->count = 0; cycle->count < count; cycle->count++)
        cycle->tids[cycle->count] = json_integer_value(json_array_get(tids, cycle->count));
    answer->cycle_count++;
    return 0;
}

static int take_cycles(struct ph_thread_answer *answer, json_t *deadlocks)
{
    size_t count = json_array_size(deadlocks);
    answer->cycles = calloc(count + 1, sizeof(*answer->cycles));
    int failed = answer->cycles ? 0 : -ENOMEM;
    for (size_t i = 0; i < count && failed == 0; i++)
        failed = take_cycle(answer, json_array_get(deadlocks, i));
    return failed;
}

static int take_comments(struct ph_thread_answer *answer, json_t *comments)
{
    size_t count = json_array_size(comments);
    answer->comments = calloc(count + 1, sizeof(*answer->comments));
    if (!answer->comments)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const char *comment = json_string_value(json_array_get(comments, i));
        if (comment && *comment)
            answer->comments[answer->comment_count++] = comment;
    }
    return 0;
}

/* ---- the whole ---- */

static int take_all(struct ph_thread_answer *answer, struct ph_error *error)
{
    json_t *root = answer->root, *threads = json_object_get(root, "threads");
    if (!json_is_array(threads))
        return ph_error_set(error, -EPROTO, "the answer is JSON, but it lists no threads");
    answer->pid = number_from(root, "pid", 1, -1);
    answer->process = text_of(root, "process");
    answer->taken_at = text_of(root, "taken_at");
    answer->duration_ns = number_from(root, "duration_ns", 0, -1);
    answer->interrupted_count = number_from(root, "interrupted_threads", 0, -1);
    int failed = take_rows(answer, threads, error);
    if (failed)
        return failed;
    if (take_cycles(answer, json_object_get(root, "deadlocks")) < 0 ||
        take_comments(answer, json_object_get(root, "comments")) < 0)
        return ph_error_set(error, -ENOMEM, "out of memory");
    return 0;
}

int ph_thread_answer_parse(const char *json, size_t size_bytes, struct ph_thread_answer *ret_answer,
                           struct ph_error *error)
{
    json_error_t place;
    struct ph_thread_answer answer = {.text = PH_ARENA_INIT};
    answer.root = json_loadb(json ? json : "", size_bytes, 0, &place);
    if (!answer.root)
        return ph_error_set(error, -EPROTO, "it did not answer in JSON: line %d, column %d: %.100s", place.line,
                            place.column, place.text);
    int failed = take_all(&answer, error);
    if (failed)
        ph_thread_answer_fini(&answer);
    else
        *ret_answer = answer;
    return failed;
}

void ph_thread_answer_fini(struct ph_thread_answer *answer)
{
    json_decref(answer->root);
    free(answer->rows);
    free(answer->by_tid);
    free(answer->cycles);
    free(answer->comments);
    ph_arena_fini(&answer->text);
    *answer = (struct ph_thread_answer){0};
}

static bool waits(const struct ph_thread_row *row)
{
    return row->wait.call[0] || row->wait.mutex;
}

size_t ph_thread_answer_filter(struct ph_thread_answer *answer, const struct ph_thread_filter *filter)
{
    size_t unknown_count = 0;
    answer->shown_count = 0;
    for (size_t i = 0; i < answer->row_count; i++) {
        struct ph_thread_row *row = &answer->rows[i];
        bool is_called = !filter->name || regexec(filter->name, row->name, 0, NULL, 0) == 0;
        bool is_long = row->wait.since_ns >= filter->waiting_ns;
        row->is_shown = is_called && (filter->waiting_ns == 0 || is_long);
        answer->shown_count += row->is_shown;
        unknown_count += is_called && filter->waiting_ns && row->wait.since_ns < 0 && waits(row);
    }
    return unknown_count;
}

static json_t *shown_threads(const struct ph_thread_answer *answer)
{
    json_t *threads = json_object_get(answer->root, "threads"), *shown = json_array();
    for (size_t i = 0; shown && i < answer->row_count; i++) {
        if (!answer->rows[i].is_shown || json_array_append(shown, json_array_get(threads, i)) == 0)
            continue;
        json_decref(shown);
        return NULL;
    }
    return shown;
}

static int append(const char *bytes, size_t size_bytes, void *out)
{
    ph_buf_append(out, bytes, size_bytes);
    return ph_buf_status(out);
}

int ph_thread_answer_json(const struct ph_thread_answer *answer, struct ph_buf *out)
{
    json_t *copy = json_copy(answer->root); /* of the outermost object only */
    json_t *threads = copy ? shown_threads(answer) : NULL;
    int failed = !threads || json_object_set_new(copy, "threads", threads) < 0 ||
                 json_dump_callback(copy, append, out, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) < 0;
    json_decref(copy);
    ph_buf_char(out, '\n');
    return failed ? -ENOMEM : ph_buf_status(out);
}

const struct ph_thread_row *ph_thread_answer_find(const struct ph_thread_answer *answer, int64_t tid)
{
    struct ph_thread_row wanted = {.tid = tid}, *key = &wanted, **found = NULL;
    if (tid > 0 && answer->row_count)
        found = bsearch(&key, answer->by_tid, answer->row_count, sizeof(*answer->by_tid), by_tid);
    return found ? *found : NULL;
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

size_t ph_thread_answer_pid_count(const struct ph_thread_answer *answer)
{
    int64_t *pids = calloc(answer->row_count + 1, sizeof(*pids));
    size_t count = 0, found = 0;
    for (size_t i = 0; pids && i < answer->row_count; i++)
        if (answer->rows[i].is_shown)
            pids[count++] = answer->rows[i].pid;
    if (count)
        qsort(pids, count, sizeof(*pids), by_number);
    for (size_t i = 0; i < count; i++)
        found += i == 0 || pids[i] != pids[i - 1];
    free(pids);
    return found;
}
