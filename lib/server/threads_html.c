#include "base/clock.h"
#include "base/human.h"
#include "server/html.h"
#include "server/threads_write.h"

#include <inttypes.h>
#include <string.h>

#define ROWS_OPEN 8 /* of one stack; more are folded */

/* One thread in a sentence, with a link to its row. */
static void add_link(const struct ph_threads_view *view, int64_t pid, int64_t tid, struct ph_buf *out)
{
    const struct ph_thread_row *row = ph_threads_view_find(view, pid, tid);
    if (!row) {
        ph_buf_printf(out, "thread %" PRId64, tid);
        return;
    }
    ph_buf_printf(out, "<a href=\"#t%" PRId64 "\">%" PRId64 " ", tid, tid);
    ph_buf_html(out, row->name);
    ph_buf_text(out, "</a>");
    if (pid)
        ph_buf_printf(out, " of process %" PRId64, pid);
}

static void add_deadlock(const struct ph_threads_view *view, const struct ph_deadlock *deadlock, struct ph_buf *out)
{
    ph_buf_text(out, "<li class=deadlock><b>Deadlock:</b> ");
    for (size_t i = 0; i < deadlock->count; i++) {
        add_link(view, deadlock->pid, deadlock->tids[i], out);
        ph_buf_text(out, " waits for ");
    }
    add_link(view, deadlock->pid, deadlock->tids[0], out);
    ph_buf_text(out, ".</li>\n");
}

static void add_notices(const struct ph_threads_view *view, struct ph_buf *out)
{
    const struct ph_profile *dump = view->profile;
    ph_buf_text(out, "<ul class=notices>\n");
    for (size_t i = 0; i < view->deadlock_count; i++)
        add_deadlock(view, &view->deadlocks[i], out);
    for (uint32_t i = 0; i < dump->comment_count; i++) {
        ph_buf_text(out, "<li class=latent>");
        ph_buf_html(out, ph_profile_text(dump, dump->comments[i]));
        ph_buf_text(out, "</li>\n");
    }
    ph_buf_text(out, "</ul>\n");
}

/* ---- one thread: a row ---- */

static void add_wait(const struct ph_threads_view *view, const struct ph_thread_row *row, struct ph_buf *out)
{
    ph_buf_text(out, "<code>");
    ph_buf_html(out, row->call[0] ? row->call : "");
    ph_buf_text(out, "</code>");
    if (row->fd >= 0)
        ph_buf_printf(out, " on %" PRId64, row->fd);
    if (row->socket[0]) {
        ph_buf_text(out, row->fd >= 0 ? ", " : " ");
        ph_buf_html(out, row->socket);
    }
    if (row->peer[0]) {
        ph_buf_text(out, ", peer ");
        ph_buf_html(out, row->peer);
    }
    if (row->mutex[0]) {
        ph_buf_text(out, " for the mutex <code>");
        ph_buf_html(out, row->mutex);
        ph_buf_text(out, "</code>");
    }
    if (row->owner_tid > 0) {
        ph_buf_text(out, ", held by ");
        add_link(view, row->pid, row->owner_tid, out);
    }
}

static void add_labels(const struct ph_profile *dump, const struct ph_thread_row *row, struct ph_buf *out)
{
    for (uint32_t i = 0; i < row->sample->label_count; i++) {
        const struct ph_label *label = &dump->labels[row->sample->first_label + i];
        if (ph_label_is_own(dump, label))
            continue;
        ph_buf_text(out, " <span class=label>");
        ph_buf_html(out, ph_profile_text(dump, label->key));
        ph_buf_text(out, ": ");
        ph_buf_html(out, ph_profile_text(dump, label->text));
        ph_buf_text(out, "</span>");
    }
}

static void add_time(int64_t time_ns, struct ph_buf *out)
{
    if (time_ns >= 0)
        ph_buf_text(out, ph_human_duration((double)time_ns / PH_NS_PER_S).text);
}

static void add_row(const struct ph_threads_view *view, const struct ph_thread_row *row, struct ph_buf *out)
{
    ph_buf_printf(out, "<tr id=t%" PRId64 "><td class=number>%" PRId64 "<td>", row->tid, row->tid);
    ph_buf_html(out, row->name);
    if (row->pid)
        ph_buf_printf(out, " <span class=soft>of %" PRId64 "</span>", row->pid);
    add_labels(view->profile, row, out);
    ph_buf_text(out, "<td class=\"wide state\">");
    ph_buf_html(out, row->state);
    if (row->interrupted > 0)
        ph_buf_text(out, " <span class=soft>(interrupted)</span>");
    ph_buf_text(out, "<td class=waits>");
    if (ph_thread_row_waits(row))
        add_wait(view, row, out);
    ph_buf_text(out, "<td class=number>");
    add_time(row->since_ns, out);
    ph_buf_text(out, "<td class=\"number wide\">");
    add_time(row->cpu_ns, out);
    ph_buf_text(out, "</tr>\n");
}

static void add_table(const struct ph_threads_view *view, const uint32_t *samples, uint32_t count,
                      struct ph_buf *out)
{
    ph_buf_text(out, "<table class=threads>\n<tr><th class=number>TID<th>Name<th class=wide>State<th>Waits in"
                     "<th class=number>For<th class=\"number wide\">CPU</tr>\n");
    for (uint32_t i = 0; i < count; i++)
        add_row(view, &view->rows[samples[i]], out);
    ph_buf_text(out, "</table>\n");
}

/* ---- threads of one stack: a card ---- */

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void add_frame(const struct ph_shown_frame *frame, struct ph_buf *out)
{
    ph_buf_text(out, "<li><code>");
    if (frame->function[0])
        ph_buf_html(out, frame->function);
    else
        ph_buf_printf(out, "0x%" PRIx64, frame->address);
    ph_buf_text(out, "</code> <span class=soft>");
    if (frame->line > 0) {
        ph_buf_html(out, last_part(frame->file));
        ph_buf_printf(out, ":%" PRId64, frame->line);
    } else {
        ph_buf_html(out, last_part(frame->module));
    }
    ph_buf_text(out, "</span></li>\n");
}

static void add_stack(const struct ph_threads_view *view, const struct ph_thread_row *row, struct ph_buf *out)
{
    ph_buf_text(out, "<ol class=stack>\n");
    for (uint32_t i = 0; i < row->sample->frame_count; i++) {
        struct ph_shown_frame frame = ph_thread_row_frame(view->profile, row, i);
        add_frame(&frame, out);
    }
    ph_buf_text(out, "</ol>\n");
    if (row->sample->frame_count == 0)
        ph_buf_text(out, "<p class=soft>Its stack is not known.</p>\n");
    if (!row->truncated[0])
        return;
    ph_buf_text(out, "<p class=soft>The stack is not complete: ");
    ph_buf_html(out, row->truncated);
    ph_buf_text(out, ".</p>\n");
}

static void add_group(const struct ph_threads_view *view, const struct ph_stack_group *group, struct ph_buf *out)
{
    const struct ph_thread_row *first = &view->rows[group->samples[0]];
    uint32_t open_count = group->sample_count < ROWS_OPEN ? group->sample_count : ROWS_OPEN;
    ph_buf_printf(out, "<section class=card><h3>%s thread%s <span class=soft>",
                  ph_human_count(group->sample_count).text, group->sample_count == 1 ? "" : "s");
    ph_buf_html(out, first->call[0] ? first->call : first->state);
    ph_buf_text(out, "</span></h3>\n");
    add_table(view, group->samples, open_count, out);
    if (open_count < group->sample_count) {
        ph_buf_printf(out, "<details><summary>%s more</summary>\n",
                      ph_human_count(group->sample_count - open_count).text);
        add_table(view, group->samples + open_count, group->sample_count - open_count, out);
        ph_buf_text(out, "</details>\n");
    }
    add_stack(view, first, out);
    ph_buf_text(out, "</section>\n");
}

static void add_summary(const struct ph_threads_view *view, const struct ph_threads_title *title,
                        struct ph_buf *out)
{
    size_t interrupted_count = ph_threads_view_interrupted(view);
    ph_buf_printf(out, "<p class=soft>Of process %" PRId64 ", ", title->pid);
    ph_buf_html(out, title->process);
    ph_buf_printf(out, ", within %" PRId64 ".%" PRId64 " ms. ", view->profile->duration_ns / PH_NS_PER_MS,
                  view->profile->duration_ns % PH_NS_PER_MS / (PH_NS_PER_MS / 10));
    if (interrupted_count)
        ph_buf_printf(out, "%zu that ran %s interrupted by a signal; none that waited.</p>\n", interrupted_count,
                      interrupted_count == 1 ? "was" : "were");
    else
        ph_buf_text(out, "None was interrupted.</p>\n");
}

void ph_threads_html(const struct ph_threads_view *view, const struct ph_threads_title *title, struct ph_buf *out)
{
    ph_html_begin(out, "Threads");
    ph_buf_text(out, "<p><a href=\"/debug/\">Porthole</a></p>\n<h1>Threads</h1>\n");
    add_summary(view, title, out);
    add_notices(view, out);
    ph_buf_printf(out, "<h2>%s thread%s", ph_human_count((int64_t)view->count).text, view->count == 1 ? "" : "s");
    ph_buf_printf(out, ", %s stack%s</h2>\n", ph_human_count(view->groups.count).text,
                  view->groups.count == 1 ? "" : "s");
    for (uint32_t i = 0; i < view->groups.count; i++)
        add_group(view, &view->groups.groups[i], out);
    ph_html_end(out, title->version);
}
