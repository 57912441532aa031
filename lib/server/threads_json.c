#include "base/clock.h"
#include "server/frame_texts.h"
#include "server/threads_write.h"

#include <inttypes.h>
#include <time.h>

#define THREAD_BYTES 192 /* of the text, about */
#define FRAME_BYTES  128

/* Members of one object, of which any may be left out. */
static void separate(struct ph_buf *out)
{
    if (out->size_bytes && out->data[out->size_bytes - 1] != '{')
        ph_buf_char(out, ',');
}

static void begin_member(struct ph_buf *out, const char *name)
{
    separate(out);
    ph_buf_char(out, '"');
    ph_buf_text(out, name);
    ph_buf_text(out, "\":");
}

static void add_text(struct ph_buf *out, const char *name, const char *text)
{
    begin_member(out, name);
    ph_buf_json(out, text);
}

static void add_known_text(struct ph_buf *out, const char *name, const char *text)
{
    if (text[0])
        add_text(out, name, text);
}

static void add_number(struct ph_buf *out, const char *name, int64_t number)
{
    begin_member(out, name);
    ph_buf_printf(out, "%" PRId64, number);
}

static void add_known_number(struct ph_buf *out, const char *name, int64_t number)
{
    if (number >= 0)
        add_number(out, name, number);
}

/* A text: numbers above 2^53 are not safe in JSON. */
static void add_address(struct ph_buf *out, const char *name, uint64_t address)
{
    begin_member(out, name);
    ph_buf_printf(out, "\"0x%" PRIx64 "\"", address);
}

/* RFC 3339, in UTC. */
static void add_time(struct ph_buf *out, const char *name, int64_t time_ns)
{
    char text[40] = "";
    time_t seconds = (time_t)(time_ns / PH_NS_PER_S);
    struct tm parts;
    if (gmtime_r(&seconds, &parts))
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
    begin_member(out, name);
    ph_buf_printf(out, "\"%s.%03dZ\"", text, (int)(time_ns % PH_NS_PER_S / PH_NS_PER_MS));
}

static void add_wait(const struct ph_thread_row *row, struct ph_buf *out)
{
    begin_member(out, "wait");
    ph_buf_char(out, '{');
    add_known_text(out, "call", row->call);
    add_known_number(out, "fd", row->fd);
    add_known_text(out, "socket", row->socket);
    add_known_text(out, "peer", row->peer);
    add_known_text(out, "mutex", row->mutex);
    add_known_number(out, "owner_tid", row->owner_tid);
    add_known_number(out, "since_ns", row->since_ns);
    ph_buf_char(out, '}');
}

static void add_labels(const struct ph_profile *dump, const struct ph_sample *sample, struct ph_buf *out)
{
    begin_member(out, "labels");
    ph_buf_char(out, '{');
    for (uint32_t i = 0; i < sample->label_count; i++) {
        const struct ph_label *label = &dump->labels[sample->first_label + i];
        if (ph_label_is_own(dump, label))
            continue;
        separate(out);
        ph_buf_json(out, ph_profile_text(dump, label->key));
        ph_buf_char(out, ':');
        ph_buf_json(out, ph_profile_text(dump, label->text));
    }
    ph_buf_char(out, '}');
}

static void add_frame(const struct ph_shown_frame *frame, struct ph_buf *out)
{
    ph_buf_char(out, '{');
    add_address(out, "address", frame->address);
    add_known_text(out, "function", frame->function);
    add_known_text(out, "module", frame->module);
    if (frame->module[0])
        add_address(out, "offset", frame->offset);
    add_known_text(out, "file", frame->file);
    if (frame->line > 0)
        add_number(out, "line", frame->line);
    ph_buf_char(out, '}');
}

static void add_stack(struct ph_frame_texts *frames, const struct ph_thread_row *row, struct ph_buf *out)
{
    begin_member(out, "stack");
    ph_buf_char(out, '[');
    for (uint32_t i = 0; i < row->sample->frame_count; i++) {
        if (i)
            ph_buf_char(out, ',');
        ph_frame_texts_add(frames, row, i);
    }
    ph_buf_char(out, ']');
}

static void add_thread(struct ph_frame_texts *frames, const struct ph_thread_row *row, struct ph_buf *out)
{
    ph_buf_char(out, '{');
    add_number(out, "tid", row->tid);
    if (row->pid)
        add_number(out, "pid", row->pid);
    add_text(out, "name", row->name);
    add_text(out, "state", row->state);
    add_known_number(out, "cpu_ns", row->cpu_ns);
    if (ph_thread_row_waits(row))
        add_wait(row, out);
    add_labels(frames->dump, row->sample, out);
    add_stack(frames, row, out);
    add_known_text(out, "truncated", row->truncated);
    ph_buf_char(out, '}');
}

static void add_deadlocks(const struct ph_threads_view *view, struct ph_buf *out)
{
    begin_member(out, "deadlocks");
    ph_buf_char(out, '[');
    for (size_t i = 0; i < view->deadlock_count; i++) {
        const struct ph_deadlock *deadlock = &view->deadlocks[i];
        ph_buf_text(out, i ? ",[" : "[");
        for (size_t j = 0; j < deadlock->count; j++)
            ph_buf_printf(out, "%s%" PRId64, j ? "," : "", deadlock->tids[j]);
        ph_buf_char(out, ']');
    }
    ph_buf_char(out, ']');
}

/* Who could not be asked, and whatever else there is to say: not there if there is nothing. */
static void add_comments(const struct ph_profile *dump, struct ph_buf *out)
{
    if (dump->comment_count == 0)
        return;
    begin_member(out, "comments");
    for (uint32_t i = 0; i < dump->comment_count; i++) {
        ph_buf_char(out, i ? ',' : '[');
        ph_buf_json(out, ph_profile_text(dump, dump->comments[i]));
    }
    ph_buf_char(out, ']');
}

static void add_threads(const struct ph_threads_view *view, struct ph_buf *out)
{
    struct ph_frame_texts frames;
    size_t frame_count = view->profile->frame_count;
    ph_buf_reserve(out, view->count * THREAD_BYTES + frame_count * FRAME_BYTES); /* memory is not touched in vain */
    ph_frame_texts_init(&frames, view->profile, add_frame, out);
    begin_member(out, "threads");
    ph_buf_char(out, '[');
    for (size_t i = 0; i < view->count; i++) {
        if (i)
            ph_buf_char(out, ',');
        add_thread(&frames, view->order[i], out);
    }
    ph_buf_char(out, ']');
    ph_frame_texts_fini(&frames);
}

void ph_threads_json(const struct ph_threads_view *view, const struct ph_threads_title *title, struct ph_buf *out)
{
    ph_buf_char(out, '{');
    add_number(out, "pid", title->pid);
    add_text(out, "process", title->process);
    add_time(out, "taken_at", view->profile->time_ns);
    add_number(out, "duration_ns", view->profile->duration_ns);
    add_number(out, "interrupted_threads", (int64_t)ph_threads_view_interrupted(view));
    add_deadlocks(view, out);
    add_comments(view->profile, out);
    add_threads(view, out);
    ph_buf_text(out, "}\n");
}
