#include "server/scope.h"

#include "base/clock.h"
#include "base/scan.h"
#include "family/family.h"
#include "server/job.h"
#include "server/router.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <unistd.h>

#define PATIENCE_SECONDS 10 /* with one member: who asked for it alone wants it */
#define LISTED_MAX       20 /* pids in a refusal */
#define PID_MAX          4194304

static struct ph_segment *segment_of(const struct ph_request *request)
{
    struct ph_segment *segment = request->site->family ? ph_family_segment(request->site->family) : NULL;
    return segment && ph_segment_is_home(segment) ? segment : NULL;
}

/* ---- which pid ---- */

/* -1: there is no such parameter; 0: what it says is no pid. */
static pid_t read_pid(const struct ph_request *request)
{
    char text[16];
    uint64_t pid;
    if (!ph_query_text(request->query, "pid", text, sizeof(text)))
        return -1;
    return ph_parse_count(text, PID_MAX, &pid) == 0 ? (pid_t)pid : 0;
}

static struct ph_member *list_members(struct ph_segment *segment, size_t *ret_count)
{
    struct ph_member *members = calloc(PH_MEMBERS_MAX, sizeof(*members));
    *ret_count = members && segment ? ph_segment_members(segment, members, PH_MEMBERS_MAX) : 0;
    return members;
}

static bool find_member(struct ph_segment *segment, pid_t pid, struct ph_member *ret_member)
{
    return segment && ph_segment_find(segment, pid, ret_member);
}

static void refuse_pid(const struct ph_request *request, struct ph_reply *reply, pid_t pid)
{
    char list[LISTED_MAX * 12 + 32];
    size_t count, length = 0;
    struct ph_member *members = list_members(segment_of(request), &count);
    if (count == 0)
        snprintf(list, sizeof(list), " %d", (int)getpid());
    for (size_t i = 0; i < MIN(count, LISTED_MAX); i++)
        length += (size_t)snprintf(list + length, sizeof(list) - length, " %d", (int)members[i].pid);
    if (count > LISTED_MAX)
        snprintf(list + length, sizeof(list) - length, " and %zu more", count - LISTED_MAX);
    ph_reply_error(request, reply, 404, "process %d is not one of this family; there are:%s", (int)pid, list);
    free(members);
}

/* ---- the answer of another ---- */

static bool is_cancelled(void *job)
{
    return ph_job_is_cancelled(job);
}

struct ph_ask_cancel ph_scope_cancel(const struct ph_request *request)
{
    if (!request->job)
        return (struct ph_ask_cancel){.client_fd = -1};
    return (struct ph_ask_cancel){request->job->client_fd, is_cancelled, request->job};
}

static const char *type_of(const struct ph_answer *answer)
{
    static const char *const types[] = {PH_TEXT_PLAIN, PH_TEXT_HTML, PH_JSON, PH_PROBLEM};
    char type[64];
    ph_answer_header(answer, "Content-Type", type, sizeof(type));
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(types[i], type) == 0)
            return types[i];
    return PH_BINARY;
}

static void pass_on(const struct ph_answer *answer, struct ph_reply *reply)
{
    static const char *const names[] = {"Content-Disposition", "X-Go-Pprof", "Retry-After", "Allow"};
    char value[PH_REPLY_VALUE_MAX];
    ph_reply_begin(reply, type_of(answer));
    reply->status = answer->status;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (ph_answer_header(answer, names[i], value, sizeof(value)))
            ph_reply_header(reply, names[i], "%s", value);
    ph_buf_append(&reply->body, ph_answer_body(answer), answer->body_bytes);
}

static void tell_failure(const struct ph_request *request, struct ph_reply *reply, const struct ph_asked *asked,
                         unsigned seconds)
{
    int pid = (int)asked->member.pid;
    if (asked->reason == PH_UNANSWERED_LATE)
        ph_reply_error(request, reply, 503, "process %d (%s) did not answer in %u s", pid, asked->member.name,
                       seconds + PATIENCE_SECONDS);
    else if (asked->reason == PH_UNANSWERED_GONE)
        ph_reply_error(request, reply, 503, "process %d (%s) has ended, or runs another program now", pid,
                       asked->member.name);
    else
        ph_reply_error(request, reply, 503, "process %d (%s) ended while it answered", pid, asked->member.name);
}

static int ask_member(const struct ph_request *request, const struct ph_member *member, unsigned seconds,
                      struct ph_asked *ret_asked, struct ph_error *error)
{
    struct ph_buf target = PH_BUF_INIT;
    struct ph_ask_cancel cancel = ph_scope_cancel(request);
    int64_t deadline_ns = ph_clock_monotonic_ns() + (seconds + PATIENCE_SECONDS) * PH_NS_PER_S;
    ph_buf_printf(&target, "%s?%s", request->path, request->query);
    bool is_post = request->method == PH_METHOD_POST;
    struct ph_question question = {
        .probe = request->site->probe,
        .segment = segment_of(request),
        .method = is_post ? "POST" : "GET",
        .target = target.data,
        .body = is_post && request->body.data ? request->body.data
                : is_post                     ? ""
                                              : NULL,
        .body_bytes = request->body.size_bytes,
        .accept = request->accept[0] ? request->accept : NULL,
    };
    int status = ph_buf_status(&target);
    if (status == 0)
        status = ph_ask_one(&question, member, deadline_ns, &cancel, ret_asked, error);
    ph_buf_fini(&target);
    return status;
}

/* No place for work is taken while another process works. */
static void relay(const struct ph_request *request, struct ph_reply *reply, const struct ph_member *member,
                  unsigned seconds)
{
    struct ph_asked asked = {0};
    struct ph_error error = {0, ""};
    int status = ph_job_pause(request->job);
    if (status == 0) {
        status = ask_member(request, member, seconds, &asked, &error);
        int resumed = ph_job_resume(request->job);
        status = status < 0 ? status : resumed;
    }
    if (status < 0)
        ph_reply_failure(request, reply, status, &error);
    else if (asked.is_answered)
        pass_on(&asked.answer, reply);
    else
        tell_failure(request, reply, &asked, seconds);
    ph_answer_fini(&asked.answer);
}

/* ---- the decision ---- */

static bool covers_family(const struct ph_request *request)
{
    struct ph_segment *segment = segment_of(request);
    return segment && ph_family_is_front(request->site->family) && ph_segment_members(segment, NULL, 0) > 1;
}

static bool is_pid_fine(const struct ph_request *request, struct ph_reply *reply, pid_t pid,
                        struct ph_member *ret_member)
{
    if (pid == 0) {
        ph_reply_error(request, reply, 400, "invalid value for \"pid\" - must be the number of a process");
        return false;
    }
    *ret_member = (struct ph_member){.pid = pid};
    /* A member that is asked for another one is asked by mistake: it must not go round in circles. */
    bool found = pid == getpid() || (!request->is_family && find_member(segment_of(request), pid, ret_member));
    if (!found)
        refuse_pid(request, reply, pid);
    return found;
}

bool ph_scope_check(const struct ph_request *request, struct ph_reply *reply)
{
    struct ph_member member;
    pid_t pid = read_pid(request);
    return pid < 0 || is_pid_fine(request, reply, pid, &member);
}

enum ph_scope ph_scope_of(const struct ph_request *request, struct ph_reply *reply, unsigned seconds)
{
    struct ph_member member;
    pid_t pid = read_pid(request);
    if (pid < 0 && request->is_family)
        return PH_SCOPE_BARE;
    if (pid < 0)
        return covers_family(request) ? PH_SCOPE_FAMILY : PH_SCOPE_PROCESS;
    if (!is_pid_fine(request, reply, pid, &member))
        return PH_SCOPE_ANSWERED;
    if (pid == getpid())
        return PH_SCOPE_PROCESS;
    relay(request, reply, &member, seconds);
    return PH_SCOPE_ANSWERED;
}

void ph_scope_sign(const struct ph_request *request, struct ph_reply *reply)
{
    if (request->is_family)
        ph_reply_header(reply, PH_FAMILY_MEMBER_HEADER, "%d", (int)getpid());
}
