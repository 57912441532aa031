/* cmd_cpu.c - where time goes: a CPU or wall profile of a process, an endpoint or a file as a table and as a flame graph. */
#include "model/demangle.h"
#include "tools/args.h"
#include "tools/command.h"
#include "tools/countdown.h"
#include "tools/cpu_view.h"
#include "tools/flame_svg.h"
#include "tools/heap_family.h"
#include "tools/output.h"
#include "tools/proc_status.h"
#include "tools/read_file.h"
#include "tools/source.h"
#include "tools/terminal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TOP_DEFAULT     20
#define SECONDS_DEFAULT 10
#define HZ_MAX          1000 /* as the endpoint: lib/task/profiling.h */
#define FILE_MAX_BYTES  (INT64_C(1) << 30)

enum { SECONDS = PH_KEY_FIRST, HZ, WALL, BY, TOP, PID, FLAME, TOKEN_FILE };

static const struct ph_flag flags[] = {
    {SECONDS, "seconds", "N", "profile for N seconds [10]"},
    {HZ, "hz", "N", "samples a second and thread, of the time it computes, or with --wall of all time [100]"},
    {WALL, "wall", NULL, "all time, also that in which threads wait, not only that on a processor"},
    {BY, "by", "WHAT",
     "a row for each function (the default), line, module, thread, or pid: each process of a server that forks"},
    {TOP, "top", "N", "show at most N rows [20]"},
    {PID, "pid", "N", "only process N of a server that forks"},
    {FLAME, "flame", "FILE",
     "write a flame graph as SVG, for any browser; - is standard output, then without the table"},
    {'o', "output", "FILE",
     "keep the profile as it came, for `go tool pprof` or to be shown again; - is standard output"},
    {TOKEN_FILE, "token-file", "FILE", PH_TOKEN_FILE_HELP},
    {0},
};

static const char *const ways[] = {"function", "line", "module", "thread", "pid", NULL}; /* as enum ph_cpu_by */

struct request {
    uint64_t seconds, hz, top_count; /* 0: not asked for */
    uint64_t pid;                    /* 0: all */
    bool is_wall;
    int way; /* enum ph_cpu_by */
    const char *flame, *output, *token_file;
};

static int take(const struct ph_command *command, void *context, int key, const char *value)
{
    struct request *request = context;
    switch (key) {
    case SECONDS:
        return ph_take_count(command, "seconds", value, PH_SECONDS_MAX, &request->seconds);
    case HZ:
        return ph_take_count(command, "hz", value, HZ_MAX, &request->hz);
    case TOP:
        return ph_take_count(command, "top", value, PH_TOP_MAX, &request->top_count);
    case BY:
        return ph_take_word(command, "by", value, ways, &request->way);
    case PID:
        return ph_take_pid(command, value, &request->pid);
    case WALL:
        request->is_wall = true;
        break;
    case FLAME:
        request->flame = value;
        break;
    case 'o':
        request->output = value;
        break;
    default:
        request->token_file = value;
    }
    return PH_EXIT_DONE;
}

static bool is_standard(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

static int fail(const struct ph_error *error)
{
    ph_complain("%s", error->text);
    return PH_EXIT_FAILURE;
}

static int out_of_memory(void)
{
    ph_complain("out of memory");
    return PH_EXIT_FAILURE;
}

/* ---- taking it ---- */

static const char *write_query(const struct request *request, char *ret_query, size_t size_bytes)
{
    int used = snprintf(ret_query, size_bytes, "seconds=%" PRIu64, request->seconds);
    if (request->hz)
        used += snprintf(ret_query + used, size_bytes - (size_t)used, "&hz=%" PRIu64, request->hz);
    if (request->pid)
        snprintf(ret_query + used, size_bytes - (size_t)used, "&pid=%" PRIu64, request->pid);
    return ret_query;
}

/* Whoever closes the connection ends the profile at the server. */
static int explain(const struct ph_target *target, double seconds, struct ph_error *error)
{
    if (error->code == -ECANCELED)
        return ph_error_set(error, -ECANCELED, "ended after %.1f s: no profile of %.90s was taken", seconds,
                            target->text);
    return error->code;
}

static int fetch(const struct ph_target *target, const struct request *request, struct ph_buf *ret_bytes,
                 struct ph_error *error)
{
    char query[96];
    struct ph_buf subject = PH_BUF_INIT;
    struct ph_source_options options = {
        .route = request->is_wall ? "/debug/pprof/wall" : "/debug/pprof/profile",
        .query = write_query(request, query, sizeof(query)),
        .seconds = (long)request->seconds,
        .token_file = request->token_file,
        .is_given_up = ph_countdown_is_over,
    };
    if (ph_target_subject(target, &subject) < 0)
        return ph_error_set(error, -ENOMEM, "out of memory");
    ph_countdown_start(subject.data, options.seconds);
    int failed = ph_source_fetch(target, &options, ret_bytes, error);
    double seconds = ph_countdown_end();
    ph_buf_fini(&subject);
    return failed ? explain(target, seconds, error) : 0;
}

static int read_bytes(const struct ph_target *target, const struct request *request, struct ph_buf *ret_bytes,
                      struct ph_error *error)
{
    return target->kind == PH_TARGET_FILE ? ph_read_file(target->text, FILE_MAX_BYTES, ret_bytes, error)
                                          : fetch(target, request, ret_bytes, error);
}

static int decode(const struct ph_target *target, const struct request *request, const struct ph_buf *bytes,
                  struct ph_profile **ret_profile, struct ph_error *error)
{
    struct ph_decode_options options = {.symbols = {.wants_lines = request->way == PH_CPU_BY_LINE}};
    struct ph_error cause = {0};
    enum ph_format format;
    int failed = ph_decode(bytes->data, bytes->size_bytes, &options, &format, ret_profile, &cause);
    if (failed)
        return ph_error_set(error, failed, "%.90s: %s", target->text, cause.text);
    failed = ph_profile_demangle(*ret_profile);
    if (failed) {
        ph_profile_free(*ret_profile);
        return ph_error_set(error, failed, "out of memory");
    }
    return 0;
}

/* ---- showing it ---- */

/* "process 7", "cpu.pb.gz, process 7" */
static int append_subject(const struct ph_target *target, const struct request *request, struct ph_buf *subject)
{
    int failed = request->pid && target->kind == PH_TARGET_PID ? 0 : ph_target_subject(target, subject);
    if (request->pid)
        ph_buf_printf(subject, "%sprocess %" PRIu64, subject->size_bytes ? ", " : "", request->pid);
    return failed ? failed : ph_buf_status(subject);
}

static int write_flame(const struct request *request, const char *title, struct ph_profile *profile, uint32_t type)
{
    struct ph_buf svg = PH_BUF_INIT;
    struct ph_flame_options options = {.title = title, .type = type};
    struct ph_error error;
    int failed = ph_flame_svg_write(profile, &options, &svg);
    if (failed == 0)
        failed = ph_output_write(request->flame, svg.data, svg.size_bytes, &error);
    else
        ph_error_set(&error, failed, "out of memory");
    ph_buf_fini(&svg);
    return failed ? fail(&error) : PH_EXIT_DONE;
}

static int write_table(const struct ph_target *target, const struct request *request, const char *subject,
                       const struct ph_profile *profile, uint32_t type)
{
    struct ph_proc_status status;
    bool is_here = target->kind == PH_TARGET_PID && ph_proc_status_read(target->pid, &status) == 0;
    struct ph_cpu_view view = {.profile = profile,
                               .type = type,
                               .subject = subject,
                               .program = is_here && status.name[0] ? status.name : NULL,
                               .by = (enum ph_cpu_by)request->way,
                               .row_count = request->top_count ? request->top_count : TOP_DEFAULT,
                               .width = ph_terminal_width()};
    struct ph_buf out = PH_BUF_INIT;
    int failed = ph_cpu_view_write(&view, &out);
    if (failed == 0)
        fwrite(out.data, 1, out.size_bytes, stdout);
    ph_buf_fini(&out);
    if (failed == -ENODATA && request->way == PH_CPU_BY_PID)
        ph_complain("%s does not tell processes apart: it is of one process, or was not taken by Porthole",
                    target->text);
    else if (failed == -ENODATA)
        ph_complain("%s does not tell of threads: --by thread needs a profile of Porthole", target->text);
    return failed == -ENODATA ? PH_EXIT_FAILURE : failed ? out_of_memory() : PH_EXIT_DONE;
}

static int show(const struct ph_target *target, const struct request *request, struct ph_profile *profile)
{
    struct ph_buf subject = PH_BUF_INIT, title = PH_BUF_INIT;
    int type = ph_cpu_type(profile), exit_status = PH_EXIT_DONE;
    if (type < 0) {
        ph_complain("%s has neither cpu nor wall time, but %s: is it a CPU profile?", target->text,
                    profile->type_count ? ph_profile_text(profile, profile->types[0].type) : "nothing");
        return PH_EXIT_FAILURE;
    }
    if (append_subject(target, request, &subject) < 0)
        exit_status = out_of_memory();
    ph_buf_printf(&title, "%s time of %s", ph_profile_text(profile, profile->types[type].type), subject.data);
    if (exit_status == PH_EXIT_DONE && request->flame)
        exit_status = write_flame(request, title.data ? title.data : "", profile, (uint32_t)type);
    if (exit_status == PH_EXIT_DONE && !is_standard(request->flame) && !is_standard(request->output))
        exit_status = write_table(target, request, subject.data, profile, (uint32_t)type);
    ph_buf_fini(&subject);
    ph_buf_fini(&title);
    return exit_status;
}

/* Of a file with several processes. An endpoint has chosen already, and its samples need no label then. */
static int show_process(const struct ph_target *target, const struct request *request, struct ph_profile *profile)
{
    struct ph_heap_family family;
    struct ph_heap_part part;
    if (ph_heap_family_init(profile, 0, &family) < 0)
        return out_of_memory();
    bool is_there = ph_heap_family_has(&family, (int64_t)request->pid), is_alone = family.count == 1;
    ph_heap_family_fini(&family);
    if (!is_there) {
        ph_complain("%s has nothing of a process %" PRIu64 "; --by pid lists those it has", target->text,
                    request->pid);
        return PH_EXIT_FAILURE;
    }
    if (is_alone)
        return show(target, request, profile);
    if (ph_heap_part_init(profile, (int64_t)request->pid, &part) < 0)
        return out_of_memory();
    /* The profile is ours: it becomes that part, as a flame graph adds strings to it. */
    memcpy(profile->samples, part.view.samples, part.view.sample_count * sizeof(*profile->samples));
    memcpy(profile->values, part.view.values,
           (size_t)part.view.sample_count * profile->type_count * sizeof(*profile->values));
    profile->sample_count = part.view.sample_count;
    profile->comment_count = 0;
    ph_heap_part_fini(&part);
    return show(target, request, profile);
}

static int keep_and_show(const struct ph_target *target, const struct request *request, const struct ph_buf *bytes)
{
    struct ph_profile *profile;
    struct ph_error error;
    if (request->output && ph_output_write(request->output, bytes->data, bytes->size_bytes, &error) < 0)
        return fail(&error);
    if (decode(target, request, bytes, &profile, &error) < 0)
        return fail(&error);
    int exit_status = request->pid && target->kind == PH_TARGET_FILE ? show_process(target, request, profile)
                                                                     : show(target, request, profile);
    ph_profile_free(profile);
    return exit_status;
}

static int check(const struct ph_command *command, const struct ph_target *target, struct request *request)
{
    if (is_standard(request->flame) && is_standard(request->output))
        return ph_usage_error(command, "--flame and -o cannot both go to standard output");
    if (target->kind == PH_TARGET_FILE && (request->seconds || request->hz || request->is_wall || request->output))
        return ph_usage_error(command, "--seconds, --hz, --wall and -o need a running process, not the file %s",
                              target->text);
    if (!request->seconds)
        request->seconds = SECONDS_DEFAULT;
    return PH_EXIT_DONE;
}

static int run(const struct ph_command *command, int argc, char **argv)
{
    struct request request = {0};
    struct ph_target target;
    struct ph_buf bytes = PH_BUF_INIT;
    struct ph_error error;
    int exit_status;
    if (!ph_args_read(command, argc, argv, take, &request, &exit_status))
        return exit_status;
    if ((exit_status = ph_take_only_target(command, argc, argv, &target)) != PH_EXIT_DONE)
        return exit_status;
    if ((exit_status = check(command, &target, &request)) != PH_EXIT_DONE)
        return exit_status;
    exit_status =
        read_bytes(&target, &request, &bytes, &error) < 0 ? fail(&error) : keep_and_show(&target, &request, &bytes);
    ph_buf_fini(&bytes);
    return exit_status;
}

const struct ph_command ph_cmd_cpu = {
    .name = "cpu",
    .operands = "PID|NAME|URL|FILE",
    .summary = "show which functions use the processors",
    .about = "Profiles a process (by its id, or by the name that `porthole ps` shows) or an endpoint "
             "(http://127.0.0.1:6060, unix:/path) for some seconds, or reads a profile that was kept, and prints a "
             "table: "
             "\"flat\" is the time a function used itself, \"cum\" with everything it called.\n"
             "Of a server that forks, its name, its URL and the id of the process that has the port stand for all "
             "of its "
             "processes; the id of any other for that one alone.\n"
             "One profile is taken at a time in a process. Ctrl-C ends it there, too.",
    .flags = flags,
    .run = run,
};
