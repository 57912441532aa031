#include "base/clock.h"
#include "base/human.h"
#include "base/visible.h"
#include "server/frame_texts.h"
#include "server/threads_write.h"

#include <inttypes.h>
#include <string.h>

#define NS_PER_MINUTE (60 * PH_NS_PER_S)

/* `thread 12 "reader"`; of a family, `thread 12 "reader" of process 7`. */
static void add_thread_name(const struct ph_thread_row *row, struct ph_buf *out)
{
    ph_buf_printf(out, "thread %" PRId64 " \"", row->tid);
    ph_visible(out, row->name);
    ph_buf_char(out, '"');
    if (row->pid)
        ph_buf_printf(out, " of process %" PRId64, row->pid);
}

static void add_thread_at(const struct ph_threads_view *view, int64_t pid, int64_t tid, struct ph_buf *out)
{
    const struct ph_thread_row *row = ph_threads_view_find(view, pid, tid);
    if (row)
        add_thread_name(row, out);
    else
        ph_buf_printf(out, "thread %" PRId64, tid);
}

static void add_deadlocks(const struct ph_threads_view *view, struct ph_buf *out)
{
    for (size_t i = 0; i < view->deadlock_count; i++) {
        const struct ph_deadlock *deadlock = &view->deadlocks[i];
        ph_buf_text(out, "DEADLOCK: ");
        for (size_t j = 0; j < deadlock->count; j++) {
            add_thread_at(view, deadlock->pid, deadlock->tids[j], out);
            ph_buf_text(out, " waits for ");
        }
        add_thread_at(view, deadlock->pid, deadlock->tids[0], out);
        ph_buf_char(out, '\n');
    }
    if (view->deadlock_count)
        ph_buf_char(out, '\n');
}

static const char *doing(const struct ph_thread_row *row)
{
    return row->call[0] ? row->call : row->state[0] ? row->state : "unknown";
}

/* ---- for people ---- */

static void add_header(const struct ph_thread_row *row, struct ph_buf *out)
{
    add_thread_name(row, out);
    ph_buf_text(out, " [");
    ph_visible(out, doing(row));
    if (row->since_ns >= 0)
        ph_buf_printf(out, ", %s", ph_human_duration((double)row->since_ns / PH_NS_PER_S).text);
    ph_buf_text(out, "]:\n");
}

static void add_descriptor(const struct ph_thread_row *row, struct ph_buf *out)
{
    ph_buf_printf(out, "# on descriptor %" PRId64, row->fd);
    if (row->socket[0]) {
        ph_buf_text(out, ": ");
        ph_visible(out, row->socket);
    }
    if (row->peer[0]) {
        ph_buf_text(out, ", peer ");
        ph_visible(out, row->peer);
    }
    ph_buf_char(out, '\n');
}

static void add_mutex(const struct ph_threads_view *view, const struct ph_thread_row *row, struct ph_buf *out)
{
    ph_buf_text(out, "# for the mutex ");
    ph_visible(out, row->mutex);
    if (row->owner_tid > 0) {
        ph_buf_text(out, ", held by ");
        add_thread_at(view, row->pid, row->owner_tid, out);
    }
    ph_buf_char(out, '\n');
}

static void add_labels(const struct ph_profile *dump, const struct ph_thread_row *row, struct ph_buf *out)
{
    for (uint32_t i = 0; i < row->sample->label_count; i++) {
        const struct ph_label *label = &dump->labels[row->sample->first_label + i];
        if (ph_label_is_own(dump, label))
            continue;
        ph_buf_text(out, "# label ");
        ph_visible(out, ph_profile_text(dump, label->key));
        ph_buf_text(out, ": ");
        ph_visible(out, ph_profile_text(dump, label->text));
        ph_buf_char(out, '\n');
    }
}

static void add_details(const struct ph_threads_view *view, const struct ph_thread_row *row, struct ph_buf *out)
{
    if (row->fd >= 0)
        add_descriptor(row, out);
    if (row->mutex[0])
        add_mutex(view, row, out);
    add_labels(view->profile, row, out);
}

static void add_frame(const struct ph_shown_frame *frame, struct ph_buf *out)
{
    ph_visible(out, frame->function[0] ? frame->function : "?");
    ph_buf_text(out, "\n\t");
    if (frame->line > 0) {
        ph_visible(out, frame->file);
        ph_buf_printf(out, ":%" PRId64, frame->line);
    } else if (frame->module[0]) {
        ph_visible(out, frame->module);
        ph_buf_printf(out, " +0x%" PRIx64, frame->offset);
    } else {
        ph_buf_printf(out, "0x%" PRIx64, frame->address);
    }
    ph_buf_char(out, '\n');
}

static void add_cut(const struct ph_thread_row *row, struct ph_buf *out)
{
    if (!row->truncated[0])
        return;
    ph_buf_text(out, "... not complete: ");
    ph_visible(out, row->truncated);
    ph_buf_char(out, '\n');
}

static void add_stack(struct ph_frame_texts *frames, const struct ph_thread_row *row)
{
    for (uint32_t i = 0; i < row->sample->frame_count; i++)
        ph_frame_texts_add(frames, row, i);
}

static void add_thread(const struct ph_threads_view *view, struct ph_frame_texts *frames,
                       const struct ph_thread_row *row, struct ph_buf *out)
{
    add_header(row, out);
    add_details(view, row, out);
    add_stack(frames, row);
    add_cut(row, out);
    ph_buf_char(out, '\n');
}

void ph_threads_text(const struct ph_threads_view *view, struct ph_buf *out)
{
    add_deadlocks(view, out);
    for (uint32_t i = 0; i < view->profile->comment_count; i++) {
        ph_buf_text(out, "# ");
        ph_visible(out, ph_profile_text(view->profile, view->profile->comments[i]));
        ph_buf_text(out, i + 1 == view->profile->comment_count ? "\n\n" : "\n");
    }
    struct ph_frame_texts frames;
    ph_frame_texts_init(&frames, view->profile, add_frame, out);
    for (size_t i = 0; i < view->count; i++)
        add_thread(view, &frames, view->order[i], out);
    ph_frame_texts_fini(&frames);
}

/* ---- for what reads Go's ---- */

static void add_go_header(const struct ph_thread_row *row, struct ph_buf *out)
{
    ph_buf_printf(out, "goroutine %" PRId64 " [", row->tid);
    ph_visible(out, doing(row));
    if (row->since_ns >= NS_PER_MINUTE)
        ph_buf_printf(out, ", %" PRId64 " minutes", row->since_ns / NS_PER_MINUTE);
    ph_buf_text(out, "]:\n");
}

/* "name(args)", then file and line: readers expect both, whether known or not. */
static void add_go_frame(const struct ph_shown_frame *frame, struct ph_buf *out)
{
    const char *function = frame->function[0] ? frame->function : "?";
    const char *file = frame->line > 0 ? frame->file : frame->module[0] ? frame->module : "?";
    ph_visible(out, function);
    ph_buf_text(out, function[strlen(function) - 1] == ')' ? "\n\t" : "(...)\n\t");
    ph_visible(out, file);
    ph_buf_printf(out, ":%" PRId64 " +0x%" PRIx64 "\n", frame->line > 0 ? frame->line : 0,
                  frame->module[0] ? frame->offset : frame->address);
}

void ph_threads_go_text(const struct ph_threads_view *view, struct ph_buf *out)
{
    struct ph_frame_texts frames;
    add_deadlocks(view, out);
    ph_frame_texts_init(&frames, view->profile, add_go_frame, out);
    for (size_t i = 0; i < view->count; i++) {
        add_go_header(view->order[i], out);
        add_stack(&frames, view->order[i]);
        ph_buf_char(out, '\n');
    }
    ph_frame_texts_fini(&frames);
}
