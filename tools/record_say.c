#include "tools/record_say.h"

#include "base/clock.h"
#include "base/human.h"
#include "base/visible.h"
#include "tools/command.h"
#include "tools/duration.h"
#include "tools/terminal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool on_terminal(void)
{
    return ph_terminal_width() > 0;
}

/* The progress line makes room for something else. */
static void clear_line(struct ph_record_say *say)
{
    if (say->has_line)
        fputs("\r\033[K", stdout);
    fflush(stdout);
    say->has_line = false;
}

void ph_record_say_error(struct ph_record_say *say, const struct ph_error *error)
{
    clear_line(say);
    ph_complain("%s", error->text);
}

/* In quotes where the shell would not take it as it is. */
static void append_shell_word(struct ph_buf *out, const char *word)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./+-:@%,=";
    bool is_plain = *word && *word != '-' && word[strspn(word, plain)] == '\0';
    ph_buf_text(out, is_plain ? "" : "'");
    for (const char *c = word; *c; c++)
        if (*c == '\'')
            ph_buf_text(out, "'\\''");
        else
            ph_buf_char(out, *c);
    ph_buf_text(out, is_plain ? "" : "'");
}

/* Until the last profile, or the end; negative if there is no end in sight. */
static int64_t left_ns(const struct ph_record_say *say)
{
    int64_t now_ns = ph_clock_monotonic_ns(), left = INT64_MAX;
    if (say->count && say->dir->count < say->count)
        left = say->live->pace.due_ns - now_ns + (int64_t)(say->count - say->dir->count - 1) * say->live->every_ns;
    else if (say->count)
        return 0;
    if (say->end_ns < INT64_MAX && say->end_ns - now_ns < left)
        left = say->end_ns - now_ns;
    return left == INT64_MAX ? -1 : left < 0 ? 0 : left;
}

/* "12 of 30   45.6 MiB in use   +12.3 MiB since the first   3m 00s left" */
static void append_progress(const struct ph_record_say *say, struct ph_buf *out)
{
    int64_t change = say->last_bytes - say->first_bytes, left = left_ns(say);
    ph_buf_printf(out, "%" PRIu32, say->dir->count);
    if (say->count)
        ph_buf_printf(out, " of %" PRIu64, say->count);
    if (say->last_bytes >= 0)
        ph_buf_printf(out, "   %s in use", ph_human_bytes(say->last_bytes).text);
    if (say->last_bytes >= 0 && say->first_bytes >= 0 && say->dir->count > 1)
        ph_buf_printf(out, "   %s%s since the first", change > 0 ? "+" : "", ph_human_bytes(change).text);
    if (say->live->silent_count)
        ph_buf_text(out, "   no answer");
    if (left > 0)
        ph_buf_printf(out, "   %s left", ph_human_duration((double)left / PH_NS_PER_S).text);
}

void ph_record_say_again(struct ph_record_say *say)
{
    struct ph_buf line = PH_BUF_INIT;
    size_t width = ph_terminal_width();
    append_progress(say, &line);
    if (width > 0 && ph_buf_status(&line) == 0)
        printf("\r%.*s\033[K", (int)ph_visible_cut(line.data, width - 1), line.data);
    fflush(stdout);
    say->has_line = true;
    ph_buf_fini(&line);
}

void ph_record_say_taken(struct ph_record_say *say, const char *name)
{
    struct ph_buf line = PH_BUF_INIT;
    if (on_terminal()) {
        ph_record_say_again(say);
        return;
    }
    append_progress(say, &line);
    printf("%s   %s\n", name, line.data ? line.data : "");
    fflush(stdout);
    ph_buf_fini(&line);
}

void ph_record_say_end(struct ph_record_say *say)
{
    struct ph_buf text = PH_BUF_INIT, shown = PH_BUF_INIT;
    uint32_t count = say->dir->count;
    if (say->has_line)
        fputc('\n', stdout);
    say->has_line = false;
    if (count == 0)
        return;
    ph_buf_printf(&text, "%" PRIu32 " profile%s in ", count, count == 1 ? "" : "s");
    append_shell_word(&text, say->dir->path);
    if (count > 1) {
        ph_buf_text(&text, "; what grew: porthole diff ");
        append_shell_word(&text, say->dir->path);
    } else {
        ph_buf_text(&text, "; to compare takes two: run the same command again");
    }
    ph_visible(&shown, text.data ? text.data : "");
    puts(shown.data ? shown.data : "");
    ph_buf_fini(&text);
    ph_buf_fini(&shown);
}

void ph_record_say_restart(struct ph_record_say *say, const struct ph_origin *before)
{
    const struct ph_origin *now = &say->live->origin;
    char pids[64] = "";
    if (before->pid && now->pid && before->pid != now->pid)
        snprintf(pids, sizeof(pids), " (process %" PRId64 ", before %" PRId64 ")", now->pid, before->pid);
    clear_line(say);
    ph_complain("%s was restarted%s: a break in the series, noted in series.json", ph_origin_name(now), pids);
}

void ph_record_say_silent(struct ph_record_say *say, uint32_t silent_before, const struct ph_error *error)
{
    if (silent_before > 0)
        return;
    clear_line(say);
    ph_complain("%s; asking again every %s, for %s", error->text, ph_duration_text(say->live->every_ns).text,
                ph_duration_text(say->live->patience_ns).text);
}

void ph_record_say_answers(struct ph_record_say *say, uint32_t silent_before)
{
    if (silent_before == 0)
        return;
    clear_line(say);
    ph_complain("it answers again; %" PRIu32 " profile%s left out", silent_before,
                silent_before == 1 ? " was" : "s were");
}

void ph_record_say_gone(struct ph_record_say *say, enum ph_live_event event, const struct ph_error *error)
{
    const struct ph_target *target = &say->live->target;
    clear_line(say);
    if (event == PH_LIVE_STRANGER && say->taken_count == 0)
        ph_complain("%s; %s holds profiles of that: choose another folder", error->text, say->dir->path);
    else if (event == PH_LIVE_GONE && target->kind == PH_TARGET_PID && say->taken_count > 0)
        ph_complain("process %d has ended", (int)target->pid);
    else if (event == PH_LIVE_GONE && say->live->silent_count > 0)
        ph_complain("%s; no answer for %s: that was the end", error->text,
                    ph_duration_text(say->live->patience_ns).text);
    else
        ph_complain("%s", error->text);
}
