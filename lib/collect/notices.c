#include "collect/notices.h"

#include <inttypes.h>

/* What a row finds in the facts; in its text %n stands for the number, %m for that of which it is a part, %r for the reason. */
struct ph_notice_case {
    bool holds;
    uint64_t number, of;
    const char *reason;
};

static struct ph_notice_case judge_degraded(const struct ph_notice_facts *facts, unsigned bit)
{
    return (struct ph_notice_case){.holds = facts->degraded & bit};
}

static struct ph_notice_case judge_heap(const struct ph_notice_facts *facts, unsigned unused)
{
    return (struct ph_notice_case){.holds = facts->unsampled.code != 0, .reason = facts->unsampled.text};
}

static struct ph_notice_case judge_proc(const struct ph_notice_facts *facts, unsigned unused)
{
    return (struct ph_notice_case){.holds = facts->proc.code != 0, .reason = facts->proc.text};
}

/* Without /proc all are hidden, and that line says it. */
static struct ph_notice_case judge_hidden(const struct ph_notice_facts *facts, unsigned unused)
{
    return (struct ph_notice_case){
        .holds = facts->hidden_count && facts->proc.code == 0,
        .number = facts->hidden_count,
        .of = facts->member_count,
    };
}

static struct ph_notice_case judge_unanswered(const struct ph_notice_facts *facts, unsigned unused)
{
    return (struct ph_notice_case){
        .holds = facts->unanswered_count,
        .number = facts->unanswered_count,
        .of = facts->asked_count,
    };
}

static struct ph_notice_case judge_threads(const struct ph_notice_facts *facts, unsigned unused)
{
    uint64_t count = facts->counters.threads_unrecorded;
    return (struct ph_notice_case){.holds = count, .number = count};
}

static struct ph_notice_case judge_unprotected(const struct ph_notice_facts *facts, unsigned unused)
{
    uint64_t count = facts->counters.descriptors_unprotected;
    return (struct ph_notice_case){.holds = count, .number = count};
}

static struct ph_notice_case judge_labels(const struct ph_notice_facts *facts, unsigned unused)
{
    uint64_t count = facts->counters.labels_refused;
    return (struct ph_notice_case){.holds = count, .number = count};
}

static struct ph_notice_case judge_lost_samples(const struct ph_notice_facts *facts, unsigned unused)
{
    uint64_t lost = facts->losses.dropped_full;
    return (struct ph_notice_case){
        .holds = lost,
        .number = lost,
        .of = facts->losses.captured + lost,
    };
}

static struct ph_notice_case judge_lost_signal(const struct ph_notice_facts *facts, unsigned unused)
{
    return (struct ph_notice_case){.holds = facts->losses.lost_signal, .number = facts->losses.lost_signal};
}

static struct ph_notice_case judge_unsampled_threads(const struct ph_notice_facts *facts, unsigned unused)
{
    uint64_t count = facts->losses.unarmed + facts->losses.tiny_stacks;
    return (struct ph_notice_case){.holds = count, .number = count};
}

static const struct ph_notice notices[] = {
    {"heap", "No heap profiles", "%r", false, judge_heap, 0},
    {"proc", "Memory, state and command lines are unknown, and heap profiles may fail",
     "%r; mount /proc where the program sees it", false, judge_proc, 0},
    {"hidden_processes", "Only number and name are known of %n of %m processes",
     "/proc hides them (hidepid), or belongs to another pid namespace; mount this one's own, with hidepid=0, or "
     "with gid= and a group of this process",
     false, judge_hidden, 0},
    {"unanswered", "%n of %m processes are missing in the last profile of all",
     "they were stopped, too busy or just ending and did not answer in time; the profile's comments name them, "
     "and ?pid= asks one by itself",
     false, judge_unanswered, 0},
    {"heir", "If this process ends, clients may be refused for a moment",
     "the program could not be given the descriptor in which forked children inherit the port, so the next one has "
     "to open it anew; raise the limit of open files (ulimit -n)",
     true, judge_degraded, PH_DEGRADED_HEIR},
    {"descriptors", "Porthole's descriptors count against the program's limit",
     "the kernel or a filter (seccomp) refused close_range() with CLOSE_RANGE_UNSHARE, so they lie in the "
     "program's own table, at 512 and above, guarded one by one; allow that call",
     true, judge_degraded, PH_DEGRADED_DESCRIPTORS},
    {"root", "If the program changes its root, names of functions may be lost and heap profiles fail",
     "a filter (seccomp) refused unshare() with CLONE_FS, so Porthole moves along; allow that call, or mount "
     "/proc in the new root",
     true, judge_degraded, PH_DEGRADED_ROOT},
    {"spare_threads", "If the program forbids itself new threads, there are no more profiles",
     "no thread could be made in reserve; raise the limit of processes (ulimit -u)", true, judge_degraded,
     PH_DEGRADED_SPARES},
    {"allocs", "What was freed is not counted any more: alloc_objects and alloc_space are zero",
     "the program makes threads without end, and what each has allocated and freed would be kept for ever; "
     "inuse_objects and inuse_space go on as ever",
     false, judge_degraded, PH_DEGRADED_ALLOCS},
    {"thread_records", "The threadcreate profile lacks %n threads that were made since the start",
     "there were more than 65,536 at a time, which is all the table holds", false, judge_threads, 0},
    {"labels", "%n calls of porthole_label_set() had no effect",
     "there are too many different sets of labels, or one was too long; label with what has few values (a tenant, "
     "a route), "
     "not with what is different each time (a request's number)",
     false, judge_labels, 0},
    {"lost_samples", "CPU profiles have lost %n of %m samples",
     "they came faster than they could be read, or a signal found another one at work; ask for a lower hz=", false,
     judge_lost_samples, 0},
    {"unsampled_threads", "CPU profiles lack %n threads",
     "their alternate signal stacks are too small for a signal, or there were no more timers to be had (ulimit "
     "-i); the "
     "comments of the profiles say which",
     false, judge_unsampled_threads, 0},
    {"lost_signal", "%n CPU profiles ended early",
     "the program has taken the signal for itself that they need, in a way that Porthole does not see", false,
     judge_lost_signal, 0},
    {"descriptor_guard", "The program could close %n descriptors of Porthole by mistake",
     "their numbers are higher than those that are guarded; lower the limit of open files (ulimit -n)", true,
     judge_unprotected, 0},
};

const struct ph_notice *ph_notices(size_t *ret_count)
{
    *ret_count = sizeof(notices) / sizeof(notices[0]);
    return notices;
}

bool ph_notice_holds(const struct ph_notice *notice, const struct ph_notice_facts *facts)
{
    return notice->judge(facts, notice->argument).holds;
}

static void expand(const char *text, const struct ph_notice_case *found, struct ph_buf *out)
{
    for (; *text; text++) {
        if (*text != '%') {
            ph_buf_char(out, *text);
            continue;
        }
        text++;
        if (*text == 'r')
            ph_buf_text(out, found->reason);
        else
            ph_buf_printf(out, "%" PRIu64, *text == 'n' ? found->number : found->of);
    }
}

void ph_notice_what(const struct ph_notice *notice, const struct ph_notice_facts *facts, struct ph_buf *out)
{
    struct ph_notice_case found = notice->judge(facts, notice->argument);
    expand(notice->what, &found, out);
}

void ph_notice_why(const struct ph_notice *notice, const struct ph_notice_facts *facts, struct ph_buf *out)
{
    struct ph_notice_case found = notice->judge(facts, notice->argument);
    expand(notice->why, &found, out);
}
