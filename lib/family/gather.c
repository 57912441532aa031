#include "family/gather.h"

#include "base/clock.h"
#include "family/fold.h"
#include "family/remote_names.h"
#include "family/tally.h"
#include "model/grow.h"
#include "model/labels.h"
#include "model/merge.h"
#include "model/pprof_read.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <unistd.h>

#define PATIENCE_SECONDS 2
#define PATIENCE_MAX_NS  (20 * PH_NS_PER_S)
#define LASTING_NS       (5 * PH_NS_PER_S) /* after the own part: others have as much to do once the seconds are over */
#define NAMES_NS         (2 * PH_NS_PER_S)
#define MARGIN           16 /* members that join between two looks */

struct gather {
    const struct ph_gathering *gathering;
    struct ph_merge *merge;
    struct ph_member *members; /* the others */
    size_t member_count;
    struct ph_modules modules; /* of this process */
    struct ph_remote_names names;
    struct ph_gathered result;
    struct ph_tally_round round;
    struct ph_buf notes; /* comments about those who failed, each with a NUL */
    size_t processor_count;
    int64_t begun_ns;
    int64_t duration_ns; /* of the parts: the longest, as they run side by side */
    int status;
};

static int list_members(struct gather *gather)
{
    struct ph_segment *segment = gather->gathering->segment;
    size_t capacity = ph_segment_members(segment, NULL, 0) + MARGIN, kept = 0;
    gather->members = calloc(capacity, sizeof(*gather->members));
    if (!gather->members)
        return -ENOMEM;
    size_t count = MIN(ph_segment_members(segment, gather->members, capacity), capacity);
    for (size_t i = 0; i < count; i++)
        if (gather->members[i].pid != getpid())
            gather->members[kept++] = gather->members[i];
    gather->member_count = kept;
    return 0;
}

/* ---- those who fail ---- */

static void note(struct gather *gather, const struct ph_member *member, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void note(struct gather *gather, const struct ph_member *member, const char *format, ...)
{
    va_list args;
    ph_buf_printf(&gather->notes, "process %d (%s) ", (int)member->pid, member->name);
    va_start(args, format);
    ph_buf_vprintf(&gather->notes, format, args);
    va_end(args);
    ph_buf_char(&gather->notes, '\0');
}

static void note_refusal(struct gather *gather, const struct ph_asked *asked)
{
    const char *text = ph_answer_body(&asked->answer);
    size_t length = strcspn(text, "\n"); /* a buffer ends with a NUL */
    note(gather, &asked->member, "answered %u: %.*s", asked->answer.status, (int)MIN(length, (size_t)160), text);
}

static void note_failure(struct gather *gather, const struct ph_asked *asked, enum ph_unanswered reason)
{
    double seconds = (double)(ph_clock_monotonic_ns() - gather->begun_ns) / PH_NS_PER_S;
    if (reason == PH_UNANSWERED_LATE)
        note(gather, &asked->member, "did not answer in %.1f s", seconds);
    else if (reason == PH_UNANSWERED_GONE)
        note(gather, &asked->member, "has ended, or runs another program now");
    else if (reason == PH_UNANSWERED_REFUSED)
        note_refusal(gather, asked);
    else
        note(gather, &asked->member, "sent no whole profile");
}

static void add_absent(struct gather *gather, const struct ph_asked *asked, enum ph_unanswered reason)
{
    struct ph_gathered *result = &gather->result;
    gather->round.unanswered_count[reason]++;
    note_failure(gather, asked, reason);
    if (reason == PH_UNANSWERED_GONE)
        return;
    if (ph_grow(&result->absent, sizeof(*result->absent), (uint32_t)result->absent_count, 1) < 0)
        gather->status = -ENOMEM;
    else
        result->absent[result->absent_count++] = asked->member.pid;
}

/* ---- those who answer ---- */

/* Of Porthole, not of the process: the same from all. */
static bool is_shared(const char *comment)
{
    return strncmp(comment, "porthole ", strlen("porthole ")) == 0;
}

/* "process 12: 3 samples were lost". Comments of a heap name their process themselves. */
static void sign_comments(const struct ph_member *member, struct ph_profile *profile)
{
    struct ph_buf text = PH_BUF_INIT;
    for (uint32_t i = 0; i < profile->comment_count; i++) {
        const char *comment = ph_profile_text(profile, profile->comments[i]);
        if (is_shared(comment))
            continue;
        ph_buf_printf(&text, "process %d: %s", (int)member->pid, comment);
        if (ph_buf_status(&text) == 0)
            profile->comments[i] = ph_profile_string(profile, text.data);
        ph_buf_fini(&text);
    }
}

static int add_part(struct gather *gather, const struct ph_member *member, struct ph_profile *profile)
{
    char pid[16];
    snprintf(pid, sizeof(pid), "%d", (int)member->pid);
    if (gather->gathering->seconds)
        sign_comments(member, profile);
    gather->duration_ns = MAX(gather->duration_ns, profile->duration_ns);
    int status = ph_merge_add(gather->merge, profile, PH_LABEL_PID, pid, NULL);
    if (status == 0)
        status = ph_remote_names_add(&gather->names, member, ph_merge_profile(gather->merge)->mapping_count);
    return status;
}

static void take_answer(struct gather *gather, const struct ph_asked *asked)
{
    struct ph_profile *profile = NULL;
    int status = ph_pprof_read(ph_answer_body(&asked->answer), asked->answer.body_bytes, &profile, NULL);
    if (status == 0)
        status = add_part(gather, &asked->member, profile);
    ph_profile_free(profile);
    if (status == -ENOMEM || status == -EOVERFLOW)
        gather->status = -ENOMEM;
    else if (status < 0)
        add_absent(gather, asked, PH_UNANSWERED_BROKEN);
}

static void on_asked(void *context, struct ph_asked *asked)
{
    struct gather *gather = context;
    if (!asked->is_answered)
        add_absent(gather, asked, asked->reason);
    else if (asked->answer.status != 200)
        add_absent(gather, asked, PH_UNANSWERED_REFUSED);
    else if (gather->status == 0)
        take_answer(gather, asked);
}

/* While the last ones work, one for each processor, what is there gets its names: most of what they send will be there, too. */
static void on_idle(void *context, size_t left_count)
{
    struct gather *gather = context;
    bool is_late = left_count < gather->member_count && left_count <= gather->processor_count;
    if (!is_late || gather->names.done_count || gather->status < 0)
        return;
    gather->status = ph_remote_names_own(&gather->names, ph_merge_profile(gather->merge));
}

static int take_own(struct gather *gather, struct ph_error *error)
{
    struct ph_profile *profile = NULL;
    struct ph_member self = {.pid = getpid()};
    int status = gather->gathering->own(gather->gathering->context, &gather->modules, &profile, error);
    if (status == 0)
        status = add_part(gather, &self, profile);
    ph_profile_free(profile);
    return status;
}

/* Members whose heaps are as large as ours take as long, one after the other where there is one processor. */
static int64_t deadline_of(const struct gather *gather)
{
    int64_t own_ns = ph_clock_monotonic_ns() - gather->begun_ns;
    if (gather->gathering->seconds)
        return gather->begun_ns + own_ns + LASTING_NS;
    unsigned patience_seconds = gather->gathering->patience_seconds;
    if (!patience_seconds)
        patience_seconds = PATIENCE_SECONDS;
    int64_t patience_ns = patience_seconds * PH_NS_PER_S + own_ns * (int64_t)gather->member_count;
    return gather->begun_ns + MIN(patience_ns, PATIENCE_MAX_NS);
}

static int ask_others(struct gather *gather, struct ph_error *error)
{
    struct ph_question question = {
        .probe = gather->gathering->probe,
        .segment = gather->gathering->segment,
        .method = "GET",
        .target = gather->gathering->target,
        .is_lasting = gather->gathering->seconds > 0,
    };
    struct ph_ask *ask;
    int status = ph_ask_begin(&question, gather->members, gather->member_count, &ask, error);
    if (status < 0)
        return status;
    status = take_own(gather, error);
    if (status == 0)
        status = ph_ask_run(ask, deadline_of(gather), gather->gathering->cancel, on_asked, on_idle, gather);
    ph_ask_free(ask);
    return status < 0 ? status : gather->status;
}

/* ---- the whole ---- */

static void add_notes(struct gather *gather, struct ph_profile *profile)
{
    const char *text = gather->notes.data, *end = text + gather->notes.size_bytes;
    for (; text && text < end; text += strlen(text) + 1)
        ph_profile_add_comment(profile, text);
}

static int finish(struct gather *gather, struct ph_error *error)
{
    struct ph_profile *merged = ph_merge_finish(gather->merge);
    gather->merge = NULL;
    if (!merged)
        return -ENOMEM;
    int status = ph_remote_names_own(&gather->names, merged);
    if (status < 0) {
        ph_profile_free(merged);
        return status;
    }
    status = ph_fold(merged, &gather->result.profile, error);
    if (status < 0)
        return status;
    gather->result.profile->duration_ns = gather->duration_ns;
    add_notes(gather, gather->result.profile);
    return ph_remote_names_find(&gather->names, gather->result.profile, ph_clock_monotonic_ns() + NAMES_NS,
                                gather->gathering->cancel, error);
}

static int gather_all(struct gather *gather, struct ph_error *error)
{
    gather->merge = ph_merge_new();
    int status = gather->merge ? list_members(gather) : -ENOMEM;
    if (status == 0)
        status = ask_others(gather, error);
    if (status == 0)
        status = finish(gather, error);
    gather->round.asked_count = (unsigned)gather->member_count;
    if (status == 0)
        ph_tally_add(&gather->round);
    return status;
}

int ph_gather(const struct ph_gathering *gathering, struct ph_gathered *ret_gathered, struct ph_error *error)
{
    struct gather gather = {
        .gathering = gathering,
        .modules = PH_MODULES_INIT,
        .names = {.probe = gathering->probe, .segment = gathering->segment, .own_modules = &gather.modules},
        .notes = PH_BUF_INIT,
        .processor_count = (size_t)sysconf(_SC_NPROCESSORS_ONLN),
        .begun_ns = ph_clock_monotonic_ns(),
    };
    int status = gather_all(&gather, error);
    if (status == -ENOMEM)
        ph_error_set(error, status, "no memory for the profile of %zu processes", gather.member_count + 1);
    if (status == 0)
        *ret_gathered = gather.result;
    else
        ph_gathered_fini(&gather.result);
    ph_merge_free(gather.merge);
    ph_remote_names_fini(&gather.names);
    ph_modules_fini(&gather.modules);
    ph_buf_fini(&gather.notes);
    free(gather.members);
    return status;
}

void ph_gathered_fini(struct ph_gathered *gathered)
{
    ph_profile_free(gathered->profile);
    free(gathered->absent);
    *gathered = (struct ph_gathered){NULL, NULL, 0};
}

/* ---- two of them ---- */

static void leave_out(struct ph_profile *profile, pid_t pid)
{
    char text[16];
    snprintf(text, sizeof(text), "%d", (int)pid);
    uint32_t key = ph_profile_string(profile, PH_LABEL_PID), value = ph_profile_string(profile, text);
    for (uint32_t i = 0; i < profile->sample_count; i++) {
        const struct ph_sample *sample = &profile->samples[i];
        for (uint32_t j = 0; j < sample->label_count; j++) {
            const struct ph_label *label = &profile->labels[sample->first_label + j];
            if (label->key == key && label->text == value)
                memset(ph_profile_values(profile, i), 0, profile->type_count * sizeof(*profile->values));
        }
    }
}

void ph_gathered_align(struct ph_gathered *a, struct ph_gathered *b)
{
    for (size_t i = 0; i < a->absent_count; i++)
        leave_out(b->profile, a->absent[i]);
    for (size_t i = 0; i < b->absent_count; i++)
        leave_out(a->profile, b->absent[i]);
}
