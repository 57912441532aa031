#include "tools/thread_view.h"

#include "base/human.h"
#include "base/visible.h"
#include "tools/heading.h"
#include "tools/paint.h"
#include "tools/thread_view_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#define NAME_COLUMN_MAX 44 /* functions up to this width have their places in one column */
#define NAME_LEAST      24 /* of a name that is cut to leave room for its place */

struct writer {
    const struct ph_thread_view *view;
    struct ph_paint paint;
    struct ph_buf words; /* of the line at hand */
};

static const char *words(const struct writer *writer)
{
    return writer->words.data ? writer->words.data : "";
}

static void start_words(struct writer *writer)
{
    if (writer->words.data)
        writer->words.data[0] = '\0';
    writer->words.size_bytes = 0;
}

/* The words on lines of their own. */
static void write_line(struct writer *writer, size_t indent, enum ph_style style)
{
    ph_paint_skip(&writer->paint, indent);
    ph_paint_wrapped(&writer->paint, style, indent + 4, words(writer));
}

/* ---- heading ---- */

static const struct ph_thread_row *first_shown(const struct ph_thread_answer *answer)
{
    size_t i = 0;
    while (i < answer->row_count && !answer->rows[i].is_shown)
        i++;
    return i < answer->row_count ? &answer->rows[i] : NULL;
}

/* "process 7 (nginx): 12 threads, 3 of them shown" */
static void write_subject(struct writer *writer)
{
    const struct ph_thread_answer *answer = writer->view->answer;
    size_t pid_count = ph_thread_answer_pid_count(answer);
    start_words(writer);
    ph_buf_text(&writer->words, writer->view->subject);
    if (answer->process[0])
        ph_buf_printf(&writer->words, " (%s)", answer->process);
    ph_buf_text(&writer->words, ": ");
    ph_heading_count(&writer->words, (int64_t)answer->row_count, "thread");
    if (answer->shown_count < answer->row_count)
        ph_buf_printf(&writer->words, ", %s of them shown", ph_human_count((int64_t)answer->shown_count).text);
    if (pid_count > 1)
        ph_buf_printf(&writer->words, ", in %zu processes", pid_count);
    write_line(writer, 0, PH_STYLE_STRONG);
}

/* The server tells it in UTC: "2026-07-25T17:20:00.123Z". */
static void write_time(const struct ph_thread_answer *answer, struct ph_buf *out)
{
    char text[32];
    struct tm parts = {0}, local;
    const char *end = strptime(answer->taken_at, "%Y-%m-%dT%H:%M:%S", &parts);
    time_t seconds = end ? timegm(&parts) : 0;
    if (end && end[strlen(end) ? strlen(end) - 1 : 0] == 'Z' && localtime_r(&seconds, &local) &&
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local))
        ph_buf_printf(out, "taken %s", text);
    else
        ph_buf_printf(out, "taken %s", answer->taken_at[0] ? answer->taken_at : "at an unknown time");
}

static void write_taking(struct writer *writer)
{
    const struct ph_thread_answer *answer = writer->view->answer;
    start_words(writer);
    write_time(answer, &writer->words);
    if (answer->duration_ns >= 0)
        ph_buf_printf(&writer->words, " in %s", ph_human_time(answer->duration_ns).text);
    if (answer->interrupted_count == 0) {
        ph_buf_text(&writer->words, "; no thread was interrupted");
    } else if (answer->interrupted_count > 0) {
        ph_buf_text(&writer->words, "; ");
        ph_heading_count(&writer->words, answer->interrupted_count, "running thread");
        ph_buf_text(&writer->words, answer->interrupted_count == 1 ? " was interrupted" : " were interrupted");
    }
    write_line(writer, 0, PH_STYLE_PLAIN);
}

/* Of --waiting: those about which nothing is known might belong here. */
static void write_hidden(struct writer *writer)
{
    size_t count = writer->view->hidden_unknown_count;
    if (count == 0)
        return;
    start_words(writer);
    ph_buf_text(&writer->words, "Not shown: ");
    ph_heading_count(&writer->words, (int64_t)count, "thread");
    ph_buf_text(&writer->words,
                count == 1 ? " that waits, but nobody saw since when" : " that wait, but nobody saw since when");
    write_line(writer, 0, PH_STYLE_PLAIN);
}

static void write_heading(struct writer *writer)
{
    const struct ph_thread_answer *answer = writer->view->answer;
    write_subject(writer);
    write_taking(writer);
    write_hidden(writer);
    size_t note_count = 0;
    for (size_t i = 0; i < answer->comment_count; i++)
        ph_heading_comment(answer->comments[i], &note_count, writer->paint.out);
    ph_heading_rest(note_count, writer->paint.out);
}

/* ---- deadlocks ---- */

static void write_cycle_member(struct writer *writer, int64_t tid)
{
    const struct ph_thread_answer *answer = writer->view->answer;
    const struct ph_thread_row *row = ph_thread_answer_find(answer, tid);
    start_words(writer);
    ph_thread_name(answer, tid, &writer->words);
    if (row) {
        ph_buf_text(&writer->words, " ");
        const char *since = row->wait.since_ns < 0 ? "" : ph_human_time(row->wait.since_ns).text;
        ph_thread_wait_words(answer, &row->wait, since, &writer->words);
    }
    write_line(writer, 4, PH_STYLE_PLAIN);
}

/* Of several processes, each cycle is in one of them. */
static void write_cycle(struct writer *writer, const struct ph_thread_cycle *cycle, bool is_family)
{
    const struct ph_thread_row *first = ph_thread_answer_find(writer->view->answer, cycle->tids[0]);
    start_words(writer);
    ph_buf_text(&writer->words, "DEADLOCK of ");
    ph_heading_count(&writer->words, (int64_t)cycle->count, "thread");
    if (is_family && first)
        ph_buf_printf(&writer->words, " of process %" PRId64, first->pid);
    ph_buf_text(&writer->words, cycle->count == 1 ? ": it waits for a mutex that it holds itself"
                                                  : ": each waits for a mutex that the next one holds");
    ph_paint_end(&writer->paint);
    write_line(writer, 0, PH_STYLE_BAD);
    for (size_t i = 0; i < cycle->count; i++)
        write_cycle_member(writer, cycle->tids[i]);
}

static void write_cycles(struct writer *writer)
{
    const struct ph_thread_answer *answer = writer->view->answer;
    bool is_family = ph_thread_answer_pid_count(answer) > 1;
    for (size_t i = 0; i < answer->cycle_count; i++)
        write_cycle(writer, &answer->cycles[i], is_family);
}

/* ---- stacks ---- */

static void write_frame(struct writer *writer, const struct ph_buf *name, const struct ph_buf *place, size_t column)
{
    struct ph_paint *paint = &writer->paint;
    struct ph_buf cut = PH_BUF_INIT;
    const char *where = place->data ? place->data : "";
    size_t place_width = ph_visible_width(where);
    ph_paint_skip(paint, 4);
    size_t room = ph_paint_room(paint);
    if (place_width && room > place_width + 2 + NAME_LEAST)
        room -= place_width + 2;
    ph_paint_cut(paint, name->data ? name->data : "", room, &cut);
    ph_paint_text(paint, PH_STYLE_PLAIN, cut.data ? cut.data : "");
    if (place_width) {
        size_t at = paint->width && column + place_width > paint->width ? 0 : column;
        ph_paint_skip(paint, at > paint->column + 2 ? at : paint->column + 2);
        ph_paint_text(paint, PH_STYLE_FAINT, where);
    }
    ph_paint_end(paint);
    ph_buf_fini(&cut);
}

/* Where the places of a stack begin. */
static size_t place_column(const struct ph_thread_row *row)
{
    size_t widest = 0;
    for (size_t i = 0; i < row->frame_count; i++) {
        struct ph_buf name = PH_BUF_INIT, place = PH_BUF_INIT;
        ph_thread_frame_words(&row->frames[i], &name, &place);
        size_t width = ph_visible_width(name.data ? name.data : "");
        if (place.size_bytes && width <= NAME_COLUMN_MAX && width > widest)
            widest = width;
        ph_buf_fini(&name);
        ph_buf_fini(&place);
    }
    return 4 + widest + 2;
}

static void write_stack(struct writer *writer, const struct ph_thread_row *row)
{
    size_t column = place_column(row);
    for (size_t i = 0; i < row->frame_count; i++) {
        struct ph_buf name = PH_BUF_INIT, place = PH_BUF_INIT;
        ph_thread_frame_words(&row->frames[i], &name, &place);
        write_frame(writer, &name, &place, column);
        if (ph_buf_status(&name) < 0 || ph_buf_status(&place) < 0)
            writer->words.failed = -ENOMEM;
        ph_buf_fini(&name);
        ph_buf_fini(&place);
    }
    if (row->truncated[0] || row->frame_count == 0) {
        start_words(writer);
        ph_buf_printf(&writer->words, "(%s%s%s)", row->frame_count ? "the stack goes on" : "no stack",
                      row->truncated[0] ? ": " : "", row->truncated);
        write_line(writer, 4, PH_STYLE_WARN);
    }
}

/* ---- threads ---- */

static enum ph_style style_of(const struct ph_thread_row *row)
{
    if (strcmp(row->state, "running") == 0)
        return PH_STYLE_GOOD;
    return strcmp(row->state, "sleeping") == 0 ? PH_STYLE_PLAIN : PH_STYLE_WARN;
}

static void write_thread(struct writer *writer, const struct ph_thread_row *row)
{
    struct ph_paint *paint = &writer->paint;
    start_words(writer);
    if (row->tid)
        ph_thread_name(writer->view->answer, row->tid, &writer->words);
    else
        ph_buf_text(&writer->words, row->name[0] ? row->name : "?");
    ph_paint_text(paint, PH_STYLE_STRONG, words(writer));
    ph_paint_printf(paint, style_of(row), "  %s", row->state[0] ? row->state : "state unknown");
    if (row->cpu_ns >= 0)
        ph_paint_printf(paint, PH_STYLE_PLAIN, ", CPU %s", ph_human_time(row->cpu_ns).text);
    if (row->labels[0])
        ph_paint_printf(paint, PH_STYLE_PLAIN, "  [%s]", row->labels);
    ph_paint_end(paint);
    start_words(writer);
    ph_thread_wait_words(writer->view->answer, &row->wait,
                         row->wait.since_ns < 0 ? "" : ph_human_time(row->wait.since_ns).text, &writer->words);
    if (writer->words.size_bytes)
        write_line(writer, 2, PH_STYLE_PLAIN);
    write_stack(writer, row);
}

/* What all of them share. */
static struct ph_thread_wait common_wait(const struct ph_thread_group *group)
{
    struct ph_thread_wait common = group->members[0]->wait;
    for (size_t i = 1; i < group->count; i++) {
        const struct ph_thread_wait *wait = &group->members[i]->wait;
        common.call = strcmp(common.call, wait->call) == 0 ? common.call : "";
        common.socket = strcmp(common.socket, wait->socket) == 0 ? common.socket : "";
        common.peer = strcmp(common.peer, wait->peer) == 0 ? common.peer : "";
        common.fd = common.fd == wait->fd ? common.fd : -1;
        if (common.mutex != wait->mutex || common.owner_tid != wait->owner_tid)
            common.mutex = 0;
    }
    return common;
}

/* "1.20s to 3m 12s" */
static void write_span(const struct ph_thread_group *group, struct ph_buf *out)
{
    int64_t least = INT64_MAX, most = -1;
    for (size_t i = 0; i < group->count; i++) {
        int64_t since_ns = group->members[i]->wait.since_ns;
        if (since_ns < 0)
            continue;
        least = since_ns < least ? since_ns : least;
        most = since_ns > most ? since_ns : most;
    }
    if (most < 0)
        return;
    ph_buf_text(out, ph_human_time(least).text);
    if (strcmp(ph_human_time(least).text, ph_human_time(most).text) != 0)
        ph_buf_printf(out, " to %s", ph_human_time(most).text);
}

static size_t pid_count_of(const struct ph_thread_group *group)
{
    size_t count = 0; /* members come by pid */
    for (size_t i = 0; i < group->count; i++)
        count += i == 0 || group->members[i]->pid != group->members[i - 1]->pid;
    return count;
}

static void write_group(struct writer *writer, const struct ph_thread_group *group)
{
    struct ph_thread_wait wait = common_wait(group);
    struct ph_buf span = PH_BUF_INIT;
    size_t pid_count = pid_count_of(group);
    start_words(writer);
    ph_heading_count(&writer->words, (int64_t)group->count, "thread");
    if (pid_count > 1)
        ph_buf_printf(&writer->words, " in %zu processes", pid_count);
    ph_buf_text(&writer->words, ": ");
    ph_thread_names_words(group, &writer->words);
    write_line(writer, 0, PH_STYLE_STRONG);
    start_words(writer);
    ph_buf_text(&writer->words, group->count == 1 ? "tid " : "tids ");
    ph_thread_tids_words(group, &writer->words);
    ph_buf_text(&writer->words, "; ");
    ph_thread_states_words(group->members, group->count, &writer->words);
    int64_t cpu_ns = ph_thread_cpu_sum(group->members, group->count);
    if (cpu_ns >= 0)
        ph_buf_printf(&writer->words, ", CPU %s", ph_human_time(cpu_ns).text);
    write_line(writer, 2, PH_STYLE_PLAIN);
    start_words(writer);
    write_span(group, &span);
    ph_thread_wait_words(writer->view->answer, &wait, span.data ? span.data : "", &writer->words);
    if (writer->words.size_bytes)
        write_line(writer, 2, PH_STYLE_PLAIN);
    ph_buf_fini(&span);
    write_stack(writer, group->members[0]);
}

static int write_threads(struct writer *writer)
{
    const struct ph_thread_view *view = writer->view;
    bool is_joined = view->by == PH_THREADS_BY_STACK, is_family = ph_thread_answer_pid_count(view->answer) > 1;
    struct ph_thread_groups groups;
    int failed = ph_thread_groups_make(view->answer, is_joined, &groups);
    if (failed)
        return failed;
    int64_t pid = 0;
    for (size_t i = 0; i < groups.count; i++) {
        const struct ph_thread_row *first = groups.groups[i].members[0];
        ph_paint_end(&writer->paint);
        if (is_family && !is_joined && first->pid != pid) {
            ph_paint_printf(&writer->paint, PH_STYLE_TITLE, "process %" PRId64, first->pid);
            ph_paint_end(&writer->paint);
            ph_paint_end(&writer->paint);
        }
        pid = first->pid;
        if (is_joined)
            write_group(writer, &groups.groups[i]);
        else
            write_thread(writer, first);
    }
    ph_thread_groups_fini(&groups);
    return 0;
}

int ph_thread_view_write(const struct ph_thread_view *view, struct ph_buf *out)
{
    struct writer writer = {
        .view = view,
        .paint = {.out = out, .width = view->width, .has_colour = view->has_colour, .has_utf8 = view->has_utf8},
        .words = PH_BUF_INIT};
    write_heading(&writer);
    write_cycles(&writer);
    int failed = 0;
    if (!first_shown(view->answer))
        ph_buf_text(out, "\nNo thread to show\n");
    else
        failed = view->by == PH_THREADS_BY_PID ? ph_thread_pids_write(view, out) : write_threads(&writer);
    if (failed == 0)
        failed = ph_buf_status(&writer.words);
    ph_buf_fini(&writer.words);
    return failed ? failed : ph_buf_status(out);
}
