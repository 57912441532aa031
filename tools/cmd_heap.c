/* cmd_heap.c - which functions hold the memory: the heap profile of a process, an endpoint or a file as a table. */
#include "base/scan.h"
#include "base/visible.h"
#include "model/heap_types.h"
#include "tools/args.h"
#include "tools/command.h"
#include "tools/heap_view.h"
#include "tools/source.h"
#include "tools/terminal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TOP_DEFAULT      20
#define TOP_MAX          1000000
#define PROCESS_NAME_MAX 64
#define SECONDS_MAX      3600 /* as the endpoint: lib/server/pprof_query.h */

enum { TOP = PH_KEY_FIRST, METRIC, SECONDS, GC, TOKEN_FILE };

static const struct ph_flag flags[] = {
    {TOP, "top", "N", "show at most N functions [20]"},
    {METRIC, "metric", "NAME",
     "inuse_space (bytes held now, the default), inuse_objects, alloc_space (bytes ever "
     "allocated) or alloc_objects"},
    {SECONDS, "seconds", "N", "show what changes in the next N seconds; not with a file"},
    {GC, "gc", NULL, "flush the allocator's caches first, so that what is free is seen as free; not with a file"},
    {TOKEN_FILE, "token-file", "FILE", "the token of an endpoint that asks for one; else $PORTHOLE_TOKEN_FILE"},
    {0},
};

static const char *const metrics[] = {"inuse_space", "inuse_objects", "alloc_space", "alloc_objects", NULL};

struct request {
    uint64_t top_count, seconds;
    const char *metric;
    bool collect_first;
    const char *token_file;
};

static bool is_metric(const char *name)
{
    for (const char *const *metric = metrics; *metric; metric++)
        if (strcmp(name, *metric) == 0)
            return true;
    return false;
}

static int take(const struct ph_command *command, struct request *request, int key, const char *value)
{
    switch (key) {
    case TOP:
        if (ph_parse_count(value, TOP_MAX, &request->top_count) < 0 || request->top_count == 0)
            return ph_usage_error(command, "--top %s: expected a number from 1 to %d", value, TOP_MAX);
        break;
    case SECONDS:
        if (ph_parse_count(value, SECONDS_MAX, &request->seconds) < 0 || request->seconds == 0)
            return ph_usage_error(command, "--seconds %s: expected a number from 1 to %d", value, SECONDS_MAX);
        break;
    case METRIC:
        if (!is_metric(value))
            return ph_usage_error(command,
                                  "--metric %s: expected inuse_space, inuse_objects, alloc_space or "
                                  "alloc_objects",
                                  value);
        request->metric = value;
        break;
    case GC:
        request->collect_first = true;
        break;
    default:
        request->token_file = value;
    }
    return PH_EXIT_DONE;
}

/* What ps calls a process; NULL if it is not here or not alive. */
static const char *process_name(const struct ph_target *target, char ret_name[PROCESS_NAME_MAX])
{
    char path[48];
    snprintf(path, sizeof(path), "/proc/%d/comm", (int)target->pid);
    FILE *file = target->kind == PH_TARGET_PID ? fopen(path, "re") : NULL;
    char *line = file ? fgets(ret_name, PROCESS_NAME_MAX, file) : NULL;
    if (file)
        fclose(file);
    if (line)
        line[strcspn(line, "\n")] = '\0';
    return line;
}

static int print(const struct ph_target *target, const struct ph_profile *profile, uint32_t type,
                 const struct request *request, enum ph_format format)
{
    struct ph_buf subject = PH_BUF_INIT, out = PH_BUF_INIT;
    int failed = ph_target_subject(target, &subject);
    if (failed == 0) {
        char name[PROCESS_NAME_MAX];
        struct ph_heap_view view = {.profile = profile,
                                    .type = type,
                                    .subject = subject.data,
                                    .row_count = request->top_count,
                                    .width = ph_terminal_width(),
                                    .program = process_name(target, name)};
        failed = ph_heap_view_write(&view, &out);
    }
    if (failed == 0)
        fwrite(out.data, 1, out.size_bytes, stdout);
    else
        ph_complain("out of memory");
    ph_buf_fini(&subject);
    ph_buf_fini(&out);
    return failed ? PH_EXIT_FAILURE : PH_EXIT_DONE;
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

static int show(const struct ph_target *target, const struct request *request)
{
    char query[64] = "";
    struct ph_error error;
    struct ph_profile *profile;
    enum ph_format format;
    if (request->seconds)
        snprintf(query, sizeof(query), "seconds=%" PRIu64 "%s", request->seconds,
                 request->collect_first ? "&" : "");
    if (request->collect_first)
        strcat(query, "gc=1");
    struct ph_source_options options = {
        .route = "/debug/pprof/heap",
        .query = query,
        .seconds = (long)request->seconds,
        .token_file = request->token_file,
    };
    if (ph_source_read(target, &options, &format, &profile, &error) < 0) {
        ph_complain("%s", error.text);
        return PH_EXIT_FAILURE;
    }
    int type = ph_profile_find_type(profile, request->metric);
    int exit_status = type < 0 ? no_such_type(target, profile, request->metric)
                               : print(target, profile, (uint32_t)type, request, format);
    ph_profile_free(profile);
    return exit_status;
}

static int run(const struct ph_command *command, int argc, char **argv)
{
    struct ph_args args;
    struct request request = {.top_count = TOP_DEFAULT, .metric = metrics[0]};
    struct ph_target target;
    struct ph_error error;
    int key, exit_status;
    ph_args_init(&args, command, argc, argv);
    while ((key = ph_args_next(&args)) > 0)
        if ((exit_status = take(command, &request, key, args.value)) != PH_EXIT_DONE)
            return exit_status;
    if (key < 0)
        return args.exit_status;
    if (argc - optind != 1)
        return ph_usage_error(command, "expected one process id, URL or file, not %d", argc - optind);
    if (ph_target_parse(argv[optind], &target, &error) < 0)
        return ph_usage_error(command, "%s", error.text);
    if (target.kind == PH_TARGET_FILE && (request.seconds || request.collect_first))
        return ph_usage_error(command, "--seconds and --gc need a running process, not the file %s", target.text);
    return show(&target, &request);
}

const struct ph_command ph_cmd_heap = {
    .name = "heap",
    .operands = "PID|URL|FILE",
    .summary = "show which functions hold the memory",
    .about =
        "Takes a heap profile from a process (by its id), an endpoint (http://127.0.0.1:6060, unix:/path) or a "
        "file (pprof, jemalloc heap_v2, or the text of gperftools and Go: told by content) and prints a table. "
        "\"flat\" is what a function allocated itself, \"cum\" what it and everything it called allocated.",
    .flags = flags,
    .run = run,
};
