/* thread_words.c - threads in words; part of thread_view_parts.h. */
#include "base/human.h"
#include "model/demangle.h"
#include "model/intern.h"
#include "tools/thread_view_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX  4 /* of a group, told one by one */
#define RANGES_MAX 6
#define STATES_MAX 8

void ph_thread_name(const struct ph_thread_answer *answer, int64_t tid, struct ph_buf *out)
{
    const struct ph_thread_row *row = ph_thread_answer_find(answer, tid);
    if (tid <= 0)
        ph_buf_char(out, '?');
    else
        ph_buf_printf(out, "%" PRId64 "%s%s", tid, row && row->name[0] ? " " : "", row ? row->name : "");
}

static void write_descriptor(const struct ph_thread_wait *wait, struct ph_buf *out)
{
    if (wait->fd >= 0)
        ph_buf_printf(out, ", fd %" PRId64, wait->fd);
    if (wait->socket[0])
        ph_buf_printf(out, "%s%s", wait->fd >= 0 ? ": " : ", ", wait->socket);
    if (wait->peer[0])
        ph_buf_printf(out, ", peer %s", wait->peer);
}

void ph_thread_wait_words(const struct ph_thread_answer *answer, const struct ph_thread_wait *wait,
                          const char *since, struct ph_buf *out)
{
    if (!wait->call[0] && !wait->mutex && !*since)
        return;
    ph_buf_printf(out, "waits%s%s", *since ? " " : "", since);
    if (wait->call[0])
        ph_buf_printf(out, " in %s", wait->call);
    write_descriptor(wait, out);
    if (wait->mutex)
        ph_buf_printf(out, " for mutex 0x%" PRIx64, wait->mutex);
    if (wait->mutex && wait->owner_tid) {
        ph_buf_text(out, ", held by ");
        ph_thread_name(answer, wait->owner_tid, out);
    }
}

static void write_place(const struct ph_thread_frame *frame, struct ph_buf *out)
{
    const char *slash = strrchr(frame->module, '/');
    const char *module = slash && slash[1] ? slash + 1 : frame->module;
    if (*module)
        ph_buf_printf(out, "%s+0x%" PRIx64, module, frame->offset);
    else
        ph_buf_printf(out, "0x%" PRIx64, frame->address);
}

void ph_thread_frame_words(const struct ph_thread_frame *frame, struct ph_buf *name, struct ph_buf *place)
{
    if (!frame->function[0]) {
        write_place(frame, name);
        return;
    }
    char *demangled = ph_demangle(frame->function);
    if (demangled)
        ph_buf_text(name, demangled);
    else
        name->failed = -ENOMEM;
    free(demangled);
    if (frame->file[0])
        ph_buf_printf(place, frame->line ? "%s:%" PRId64 : "%s", frame->file, frame->line);
    else
        write_place(frame, place);
}

static const char *name_of(const struct ph_thread_row *row)
{
    return row->name[0] ? row->name : "?";
}

/* Each name once; how many threads have none of them is told at the end. */
void ph_thread_names_words(const struct ph_thread_group *group, struct ph_buf *out)
{
    size_t told = 0, rest = 0;
    const char *names[NAMES_MAX];
    for (size_t i = 0; i < group->count; i++) {
        size_t known = 0;
        while (known < told && strcmp(names[known], name_of(group->members[i])) != 0)
            known++;
        if (known < told)
            continue;
        if (told == NAMES_MAX) {
            rest++;
            continue;
        }
        names[told] = name_of(group->members[i]);
        ph_buf_printf(out, "%s%s", told ? ", " : "", names[told]);
        told++;
    }
    if (rest)
        ph_buf_printf(out, " and %zu more", rest);
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void write_ranges(const int64_t *tids, size_t count, struct ph_buf *out)
{
    size_t ranges = 0, next;
    for (size_t i = 0; i < count; i = next) {
        for (next = i + 1; next < count && tids[next] == tids[i] + (int64_t)(next - i);)
            next++;
        if (ranges++ == RANGES_MAX) {
            ph_buf_printf(out, " and %zu more", count - i);
            return;
        }
        ph_buf_printf(out, "%s%" PRId64, i ? ", " : "", tids[i]);
        if (next - i > 1)
            ph_buf_printf(out, "%s%" PRId64, next - i > 2 ? "-" : ", ", tids[next - 1]);
    }
}

void ph_thread_tids_words(const struct ph_thread_group *group, struct ph_buf *out)
{
    int64_t *tids = calloc(group->count, sizeof(*tids));
    if (!tids) {
        out->failed = -ENOMEM;
        return;
    }
    for (size_t i = 0; i < group->count; i++)
        tids[i] = group->members[i]->tid;
    qsort(tids, group->count, sizeof(*tids), by_number); /* members come by process */
    write_ranges(tids, group->count, out);
    free(tids);
}

void ph_thread_states_words(const struct ph_thread_row *const *rows, size_t count, struct ph_buf *out)
{
    const char *states[STATES_MAX];
    size_t counts[STATES_MAX] = {0}, state_count = 0;
    for (size_t i = 0; i < count; i++) {
        const char *state = rows[i]->state[0] ? rows[i]->state : "state unknown";
        size_t at = 0;
        while (at < state_count && strcmp(states[at], state) != 0)
            at++;
        if (at == STATES_MAX)
            continue;
        states[at] = state;
        counts[at]++;
        state_count += at == state_count;
    }
    for (size_t i = 0; i < state_count; i++)
        if (count == 1)
            ph_buf_text(out, states[i]);
        else
            ph_buf_printf(out, "%s%s %s", i ? ", " : "", ph_human_count((int64_t)counts[i]).text, states[i]);
}

int64_t ph_thread_cpu_sum(const struct ph_thread_row *const *rows, size_t count)
{
    int64_t sum_ns = -1;
    for (size_t i = 0; i < count; i++)
        if (rows[i]->cpu_ns >= 0)
            sum_ns = ph_add_saturating(sum_ns < 0 ? 0 : sum_ns, rows[i]->cpu_ns);
    return sum_ns;
}
