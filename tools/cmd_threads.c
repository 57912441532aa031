/* cmd_threads.c - what the threads of a server do, and what they wait for, as of now. */
#include "tools/args.h"
#include "tools/command.h"
#include "tools/source.h"
#include "tools/terminal.h"
#include "tools/thread_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define WAITING_LEAST_NS 1000000

enum { GROUP = PH_KEY_FIRST, NAME, WAITING, BY, PID, JSON, COLOR, TOKEN_FILE };

static const struct ph_flag flags[] = {
    {GROUP, "group", NULL, "put threads with equal stacks together, most of them first"},
    {NAME, "name", "REGEX", "only threads whose name matches (an extended regular expression)"},
    {WAITING, "waiting", "DURATION", "only threads that have waited for so long: 500ms, 5s, 2m"},
    {BY, "by", "WHAT", "thread (the default), or pid: a row for each process of a server that forks"},
    {PID, "pid", "N", "only process N of a server that forks"},
    {JSON, "json", NULL, "print what the server answers, but only the threads that pass --name and --waiting"},
    {COLOR, "color", "WHEN", PH_COLOR_HELP},
    {TOKEN_FILE, "token-file", "FILE", PH_TOKEN_FILE_HELP},
    {0},
};

static const char *const ways[] = {"thread", "pid", NULL};
#define BY_PID 1

struct request {
    bool is_grouped, is_json;
    bool has_name; /* and name has to be released */
    regex_t name;
    int64_t waiting_ns;
    int way, colour; /* places in ways and ph_colour_words */
    uint64_t pid;    /* 0: all */
    const char *token_file;
};

static int take_name(const struct ph_command *command, struct request *request, const char *value)
{
    char reason[120];
    if (request->has_name)
        regfree(&request->name);
    int failed = regcomp(&request->name, value, REG_EXTENDED | REG_NOSUB);
    request->has_name = failed == 0;
    if (failed == 0)
        return PH_EXIT_DONE;
    regerror(failed, &request->name, reason, sizeof(reason));
    return ph_usage_error(command, "--name %s: %s", value, reason);
}

static int take(const struct ph_command *command, void *context, int key, const char *value)
{
    struct request *request = context;
    switch (key) {
    case NAME:
        return take_name(command, request, value);
    case WAITING:
        return ph_take_duration(command, "waiting", value, WAITING_LEAST_NS, &request->waiting_ns);
    case BY:
        return ph_take_word(command, "by", value, ways, &request->way);
    case PID:
        return ph_take_pid(command, value, &request->pid);
    case COLOR:
        return ph_take_word(command, "color", value, ph_colour_words, &request->colour);
    case GROUP:
        request->is_grouped = true;
        break;
    case JSON:
        request->is_json = true;
        break;
    default:
        request->token_file = value;
    }
    return PH_EXIT_DONE;
}

static int fetch(const struct ph_target *target, const struct request *request, struct ph_thread_answer *ret_answer,
                 struct ph_error *error)
{
    char query[48] = "format=json";
    struct ph_buf bytes = PH_BUF_INIT;
    struct ph_error cause = {0};
    if (request->pid)
        snprintf(query, sizeof(query), "format=json&pid=%" PRIu64, request->pid);
    struct ph_source_options options = {
        .route = "/debug/threads",
        .query = query,
        .token_file = request->token_file,
        .limit_bytes = PH_THREAD_ANSWER_MAX_BYTES,
    };
    int failed = ph_source_fetch(target, &options, &bytes, error);
    if (failed)
        return failed;
    failed = ph_thread_answer_parse(bytes.data, bytes.size_bytes, ret_answer, &cause);
    ph_buf_fini(&bytes);
    return failed ? ph_error_set(error, failed, "%.90s: %s", target->text, cause.text) : 0;
}

static int write_text(const struct ph_target *target, const struct request *request,
                      const struct ph_thread_answer *answer, size_t hidden_unknown_count, struct ph_buf *out)
{
    struct ph_buf subject = PH_BUF_INIT;
    if (request->pid)
        ph_buf_printf(&subject, "process %" PRIu64, request->pid);
    else
        ph_target_subject(target, &subject);
    struct ph_thread_view view = {
        .answer = answer,
        .subject = subject.data ? subject.data : "",
        .by = request->way == BY_PID ? PH_THREADS_BY_PID
              : request->is_grouped  ? PH_THREADS_BY_STACK
                                     : PH_THREADS_EACH,
        .hidden_unknown_count = hidden_unknown_count,
        .width = ph_terminal_width(),
        .has_colour = ph_terminal_has_colour((enum ph_colour)request->colour),
        .has_utf8 = ph_terminal_has_utf8(),
    };
    int failed = ph_buf_status(&subject) < 0 ? ph_buf_status(&subject) : ph_thread_view_write(&view, out);
    ph_buf_fini(&subject);
    return failed;
}

static int show(const struct ph_target *target, const struct request *request)
{
    struct ph_thread_answer answer;
    struct ph_thread_filter filter = {request->has_name ? &request->name : NULL, request->waiting_ns};
    struct ph_buf out = PH_BUF_INIT;
    struct ph_error error;
    if (fetch(target, request, &answer, &error) < 0) {
        ph_complain("%s", error.text);
        return PH_EXIT_FAILURE;
    }
    size_t hidden_unknown_count = ph_thread_answer_filter(&answer, &filter);
    int failed = request->is_json ? ph_thread_answer_json(&answer, &out)
                                  : write_text(target, request, &answer, hidden_unknown_count, &out);
    if (failed)
        ph_complain("out of memory");
    else
        fwrite(out.data, 1, out.size_bytes, stdout);
    ph_buf_fini(&out);
    ph_thread_answer_fini(&answer);
    return failed ? PH_EXIT_FAILURE : PH_EXIT_DONE;
}

static int run_with(const struct ph_command *command, int argc, char **argv, struct request *request)
{
    struct ph_target target;
    int exit_status;
    if (!ph_args_read(command, argc, argv, take, request, &exit_status))
        return exit_status;
    if (request->is_grouped && request->way == BY_PID)
        return ph_usage_error(command, "--group and --by pid are two ways to show the same threads: choose one");
    exit_status = ph_take_live_target(command, argc, argv, &target);
    return exit_status == PH_EXIT_DONE ? show(&target, request) : exit_status;
}

static int run(const struct ph_command *command, int argc, char **argv)
{
    struct request request = {0};
    int exit_status = run_with(command, argc, argv, &request);
    if (request.has_name)
        regfree(&request.name);
    return exit_status;
}

const struct ph_command ph_cmd_threads = {
    .name = "threads",
    .operands = "PID|NAME|URL",
    .summary = "show what each thread does and waits for",
    .about = "Asks a process (by its id, or by the name that `porthole ps` shows) or an endpoint "
             "(http://127.0.0.1:6060, unix:/path) for its threads, as they are now: state, processor time, stack, "
             "the system "
             "call it waits in, for which descriptor or mutex, and since when. Threads that wait are not "
             "interrupted for that. "
             "Deadlocks come first, whatever else is chosen.\n"
             "Of a server that forks, its name, its URL and the id of the process that has the port stand for all "
             "of its "
             "processes; the id of any other for that one alone.",
    .flags = flags,
    .run = run,
};
