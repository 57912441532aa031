/* cmd_heap.c - which functions hold the memory: the heap profile of a process, an endpoint or a file as a table. */
#include "base/visible.h"
#include "model/heap_types.h"
#include "tools/args.h"
#include "tools/command.h"
#include "tools/heap_family.h"
#include "tools/heap_view.h"
#include "tools/proc_status.h"
#include "tools/source.h"
#include "tools/terminal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TOP_DEFAULT 20

enum { TOP = PH_KEY_FIRST, METRIC, BY, PID, SECONDS, GC, TOKEN_FILE };

static const struct ph_flag flags[] = {
    {TOP, "top", "N", "show at most N functions, or processes [20]"},
    {METRIC, "metric", "NAME",
     "inuse_space (bytes held now, the default), inuse_objects, alloc_space (bytes ever "
     "allocated) or alloc_objects"},
    {BY, "by", "WHAT",
     "a row for each function (the default), or pid: for each process of a server that forks, with what it has "
     "allocated itself and what it inherited"},
    {PID, "pid", "N", "only process N of a server that forks"},
    {SECONDS, "seconds", "N", "show what changes in the next N seconds; not with a file"},
    {GC, "gc", NULL, "flush the allocator's caches first, so that what is free is seen as free; not with a file"},
    {TOKEN_FILE, "token-file", "FILE", PH_TOKEN_FILE_HELP},
    {0},
};

static const char *const metrics[] = {"inuse_space", "inuse_objects", "alloc_space", "alloc_objects", NULL};
static const char *const ways[] = {"function", "pid", NULL};
#define BY_PID 1

struct request {
    uint64_t top_count, seconds;
    uint64_t pid;    /* 0: all */
    int metric, way; /* places in metrics and ways */
    bool collect_first;
    const char *token_file;
};

static int take(const struct ph_command *command, void *context, int key, const char *value)
{
    struct request *request = context;
    switch (key) {
    case TOP:
        return ph_take_count(command, "top", value, PH_TOP_MAX, &request->top_count);
    case SECONDS:
        return ph_take_count(command, "seconds", value, PH_SECONDS_MAX, &request->seconds);
    case METRIC:
        return ph_take_word(command, "metric", value, metrics, &request->metric);
    case BY:
        return ph_take_word(command, "by", value, ways, &request->way);
    case PID:
        return ph_take_pid(command, value, &request->pid);
    case GC:
        request->collect_first = true;
        break;
    default:
        request->token_file = value;
    }
    return PH_EXIT_DONE;
}

/* What ps calls a process; NULL if it is not here or not alive. */
static const char *process_name(const struct ph_target *target, struct ph_proc_status *status)
{
    if (target->kind != PH_TARGET_PID || ph_proc_status_read(target->pid, status) < 0 || !status->name[0])
        return NULL;
    return status->name;
}

static int explain(const struct ph_target *target, int failed)
{
    if (failed == -ENODATA)
        ph_complain("%s does not tell of processes: --by pid needs a profile of Porthole", target->text);
    else
        ph_complain("out of memory");
    return PH_EXIT_FAILURE;
}

/* "process 7", "heap.pb.gz, process 7" */
static int append_subject(const struct ph_target *target, const struct request *request, struct ph_buf *subject)
{
    int failed = request->pid && target->kind == PH_TARGET_PID ? 0 : ph_target_subject(target, subject);
    if (request->pid)
        ph_buf_printf(subject, "%sprocess %" PRIu64, subject->size_bytes ? ", " : "", request->pid);
    return failed ? failed : ph_buf_status(subject);
}

static int print(const struct ph_target *target, const struct ph_profile *profile, uint32_t type,
                 const struct request *request)
{
    struct ph_buf subject = PH_BUF_INIT, out = PH_BUF_INIT;
    int failed = append_subject(target, request, &subject);
    if (failed == 0) {
        struct ph_proc_status status;
        struct ph_heap_view view = {.profile = profile,
                                    .type = type,
                                    .subject = subject.data,
                                    .row_count = request->top_count,
                                    .width = ph_terminal_width(),
                                    .program = process_name(target, &status),
                                    .by_pid = request->way == BY_PID};
        failed = ph_heap_view_write(&view, &out);
    }
    if (failed == 0)
        fwrite(out.data, 1, out.size_bytes, stdout);
    ph_buf_fini(&subject);
    ph_buf_fini(&out);
    return failed ? explain(target, failed) : PH_EXIT_DONE;
}

/* Of a file with several processes. An endpoint has chosen already, and its samples need no label then. */
static int print_process(const struct ph_target *target, const struct ph_profile *profile, uint32_t type,
                         const struct request *request)
{
    struct ph_heap_family family;
    struct ph_heap_part part;
    int failed = ph_heap_family_init(profile, type, &family);
    bool is_there = failed == 0 && ph_heap_family_has(&family, (int64_t)request->pid);
    bool is_alone = is_there && family.count == 1;
    if (failed == 0)
        ph_heap_family_fini(&family);
    if (is_alone)
        return print(target, profile, type, request);
    if (failed == 0 && !is_there) {
        ph_complain("%s holds nothing of a process %" PRIu64 "; --by pid lists those it has", target->text,
                    request->pid);
        return PH_EXIT_FAILURE;
    }
    if (failed == 0)
        failed = ph_heap_part_init(profile, (int64_t)request->pid, &part);
    if (failed)
        return explain(target, failed);
    int exit_status = print(target, &part.view, type, request);
    ph_heap_part_fini(&part);
    return exit_status;
}

static int no_such_type(const struct ph_target *target, const struct ph_profile *profile, const char *metric)
{
    struct ph_buf types = PH_BUF_INIT;
    for (uint32_t i = 0; i < profile->type_count; i++) {
        ph_buf_text(&types, i ? ", " : "");
        ph_buf_text(&types, ph_profile_text(profile, profile->types[i].type));
    }
    ph_complain("%s has no %s, but %s: is it a heap profile?", target->text, metric,
                types.data ? types.data : "nothing");
    ph_buf_fini(&types);
    return PH_EXIT_FAILURE;
}

static void append_query(struct ph_buf *query, const char *name, uint64_t value)
{
    if (value)
        ph_buf_printf(query, "%s%s=%" PRIu64, query->size_bytes ? "&" : "", name, value);
}

static int read_profile(const struct ph_target *target, const struct request *request,
                        struct ph_profile **ret_profile, struct ph_error *error)
{
    struct ph_buf query = PH_BUF_INIT;
    enum ph_format format;
    append_query(&query, "seconds", request->seconds);
    append_query(&query, "gc", request->collect_first);
    append_query(&query, "pid", request->pid);
    struct ph_source_options options = {
        .route = "/debug/pprof/heap",
        .query = query.data ? query.data : "",
        .seconds = (long)request->seconds,
        .token_file = request->token_file,
    };
    int failed = ph_buf_status(&query) < 0 ? ph_error_set(error, -ENOMEM, "out of memory")
                                           : ph_source_read(target, &options, &format, ret_profile, error);
    ph_buf_fini(&query);
    return failed;
}

static int show(const struct ph_target *target, const struct request *request)
{
    struct ph_error error;
    struct ph_profile *profile;
    int exit_status;
    if (read_profile(target, request, &profile, &error) < 0) {
        ph_complain("%s", error.text);
        return PH_EXIT_FAILURE;
    }
    int type = ph_profile_find_type(profile, metrics[request->metric]);
    if (type < 0)
        exit_status = no_such_type(target, profile, metrics[request->metric]);
    else if (request->pid && target->kind == PH_TARGET_FILE)
        exit_status = print_process(target, profile, (uint32_t)type, request);
    else
        exit_status = print(target, profile, (uint32_t)type, request);
    ph_profile_free(profile);
    return exit_status;
}

static int run(const struct ph_command *command, int argc, char **argv)
{
    struct request request = {
        .top_count = TOP_DEFAULT,
    };
    struct ph_target target;
    int exit_status;
    if (!ph_args_read(command, argc, argv, take, &request, &exit_status))
        return exit_status;
    if ((exit_status = ph_take_only_target(command, argc, argv, &target)) != PH_EXIT_DONE)
        return exit_status;
    if (target.kind == PH_TARGET_FILE && (request.seconds || request.collect_first))
        return ph_usage_error(command, "--seconds and --gc need a running process, not the file %s", target.text);
    return show(&target, &request);
}

const struct ph_command ph_cmd_heap = {
    .name = "heap",
    .operands = "PID|NAME|URL|FILE",
    .summary = "show which functions hold the memory",
    .about =
        "Takes a heap profile from a process (by its id, or by the name that `porthole ps` shows), an endpoint "
        "(http://127.0.0.1:6060, unix:/path) or a file (pprof, jemalloc heap_v2, or the text of gperftools and Go: "
        "told by content) and prints a table. "
        "\"flat\" is what a function allocated itself, \"cum\" what it and everything it called allocated.\n"
        "Of a server that forks, its name, its URL and the id of the process that has the port stand for all of "
        "its "
        "processes; the id of any other for that one alone.",
    .flags = flags,
    .run = run,
};
