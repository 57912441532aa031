/* cmd_diff.c - what grew between heap profiles, since when, and where. */
#include "growth/analysis.h"
#include "tools/args.h"
#include "tools/command.h"
#include "tools/diff_html.h"
#include "tools/diff_inputs.h"
#include "tools/diff_json.h"
#include "tools/diff_options.h"
#include "tools/diff_profile.h"
#include "tools/diff_text.h"
#include "tools/diff_words.h"
#include "tools/nearest.h"
#include "tools/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FORMAT = PH_DIFF_KEY_END, FAIL_ON, OUTPUT = 'o' };

static const struct ph_flag flags[] = {
    PH_DIFF_FLAGS,
    {FORMAT, "format", "NAME", "text (the default), json, html, pprof, or folded: lines of \"stack base new\""},
    {OUTPUT, "output", "FILE",
     "write to it, in the format that its end tells: .txt (or no dot: text); .json; .html, .htm; .pb.gz, .pb, "
     ".pprof, .prof; .folded, .collapsed"},
    {FAIL_ON, "fail-on", "WHAT",
     "exit with 3 if a call site is growing; or step (the default): if one grew at all; or never"},
    {0},
};

enum fail_on { FAIL_ON_GROWING, FAIL_ON_STEP, FAIL_ON_NEVER };
static const char *const fail_on_names[] = {"growing", "step", "never", NULL};

struct request {
    struct ph_diff_options options;
    const struct format *format; /* NULL: by the name of the output, else text */
    int fail_on;
    const char *output; /* "-" for stdout */
};

/* ---- formats ---- */

static int write_text(const struct ph_growth_report *report, const struct request *request, struct ph_buf *out)
{
    struct ph_diff_view view = ph_diff_options_view(&request->options);
    if (strcmp(request->output, "-") != 0) {
        view.width = 0;
        view.has_colour = request->options.colour == PH_COLOUR_ALWAYS;
    }
    return ph_diff_text_write(report, &view, out);
}

static int write_json(const struct ph_growth_report *report, const struct request *request, struct ph_buf *out)
{
    (void)request;
    return ph_diff_json_write(report, out);
}

static int write_html(const struct ph_growth_report *report, const struct request *request, struct ph_buf *out)
{
    (void)request;
    return ph_diff_html_write(report, out);
}

static int write_pprof(const struct ph_diff_end *base, const struct ph_diff_end *now, enum ph_heap_type metric,
                       struct ph_buf *out, struct ph_error *error)
{
    (void)metric;
    return ph_diff_pprof_write(base, now, out, error);
}

#define ENDINGS_MAX 5

static const struct format {
    const char *name, *endings[ENDINGS_MAX];
    int (*write_report)(const struct ph_growth_report *, const struct request *, struct ph_buf *);
    int (*write_ends)(const struct ph_diff_end *base, const struct ph_diff_end *now, enum ph_heap_type metric,
                      struct ph_buf *out, struct ph_error *error); /* NULL: the report is all it needs */
} formats[] = {
    {"text", {".txt"}, write_text, NULL},
    {"json", {".json"}, write_json, NULL},
    {"html", {".html", ".htm"}, write_html, NULL},
    {"pprof", {".pb.gz", ".pb", ".pprof", ".prof"}, NULL, write_pprof},
    {"folded", {".folded", ".collapsed"}, NULL, ph_diff_folded_write},
};

#define FORMAT_COUNT (sizeof(formats) / sizeof(formats[0]))

/* Standard output, a device, and a name that leaves it open are for text. NULL: of a format that we do not have. */
static const struct format *format_of(const char *output)
{
    const char *slash = strrchr(output, '/');
    for (size_t i = 0; i < FORMAT_COUNT; i++)
        for (const char *const *ending = formats[i].endings; *ending; ending++)
            if (ph_ends_with(output, *ending))
                return &formats[i];
    bool is_open = strncmp(output, "/dev/", 5) == 0 || !strchr(slash ? slash : output, '.');
    return is_open ? &formats[0] : NULL;
}

/* ---- the command line ---- */

static int take_format(const struct ph_command *command, struct request *request, const char *name)
{
    const char *names[FORMAT_COUNT + 1] = {NULL};
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        names[i] = formats[i].name;
        if (strcmp(name, names[i]) == 0)
            request->format = &formats[i];
    }
    if (request->format && strcmp(request->format->name, name) == 0)
        return PH_EXIT_DONE;
    const char *nearest = ph_nearest(name, names);
    return ph_usage_error(command, "--format %s: expected text, json, html, pprof or folded%s%s", name,
                          nearest ? "; perhaps " : "", nearest ? nearest : "");
}

static int refuse_ending(const struct ph_command *command, const char *output)
{
    struct ph_buf endings = PH_BUF_INIT;
    for (size_t i = 0; i < FORMAT_COUNT; i++)
        for (const char *const *ending = formats[i].endings; *ending; ending++)
            ph_buf_printf(&endings, "%s, ", *ending);
    int status = ph_usage_error(command, "the name %s tells no format: expected %sor --format", output,
                                ph_buf_status(&endings) == 0 ? endings.data : "");
    ph_buf_fini(&endings);
    return status;
}

static int take_fail_on(const struct ph_command *command, struct request *request, const char *name)
{
    for (int i = 0; fail_on_names[i]; i++) {
        if (strcmp(name, fail_on_names[i]) != 0)
            continue;
        request->fail_on = i;
        return PH_EXIT_DONE;
    }
    return ph_usage_error(command, "--fail-on %s: expected growing, step or never", name);
}

static int take(const struct ph_command *command, void *context, int key, const char *value)
{
    struct request *request = context;
    if (ph_diff_options_know(key))
        return ph_diff_options_take(command, &request->options, key, value);
    if (key == FORMAT)
        return take_format(command, request, value);
    if (key == FAIL_ON)
        return take_fail_on(command, request, value);
    if (!*value)
        return ph_usage_error(command, "--output needs the name of a file");
    request->output = value;
    return PH_EXIT_DONE;
}

/* What only makes sense together. */
static int finish(const struct ph_command *command, struct request *request)
{
    const struct ph_growth_options *growth = &request->options.growth;
    if (!request->format)
        request->format = format_of(request->output);
    if (!request->format)
        return refuse_ending(command, request->output);
    bool is_profile = request->format->write_ends != NULL;
    if (is_profile && (growth->focus || growth->ignore || growth->hide))
        return ph_usage_error(command,
                              "--format %s has all stacks: --focus, --ignore and --hide are for its reader",
                              request->format->name);
    if (strcmp(request->format->name, "pprof") == 0 && strcmp(request->output, "-") == 0 && isatty(STDOUT_FILENO))
        return ph_usage_error(command, "a pprof profile is no text for a terminal: name a file with -o");
    return ph_diff_options_finish(command, &request->options);
}

/* ---- the work ---- */

static int write_ends(struct ph_diff_inputs *inputs, const struct ph_growth_report *report,
                      const struct request *request, struct ph_buf *out, struct ph_error *error)
{
    struct ph_diff_end base = {.name = report->profiles[0].name};
    struct ph_diff_end now = {.name = report->profiles[report->profile_count - 1].name};
    int failed = ph_diff_inputs_take(inputs, base.name, false, &base.profile, error);
    if (failed == 0)
        failed = ph_diff_inputs_take(inputs, now.name, true, &now.profile, error);
    if (failed == 0)
        failed = request->format->write_ends(&base, &now, request->options.growth.metric, out, error);
    ph_profile_free(base.profile);
    ph_profile_free(now.profile);
    return failed;
}

static int write_result(struct ph_diff_inputs *inputs, const struct ph_growth_report *report,
                        const struct request *request, struct ph_error *error)
{
    struct ph_buf out = PH_BUF_INIT;
    int failed = request->format->write_ends ? write_ends(inputs, report, request, &out, error)
                                             : request->format->write_report(report, request, &out);
    if (failed == -ENOMEM)
        ph_error_set(error, failed, "out of memory");
    if (failed == 0)
        failed = ph_output_write(request->output, out.data ? out.data : "", out.size_bytes, error);
    ph_buf_fini(&out);
    return failed;
}

static int exit_status(const struct ph_growth_report *report, int fail_on)
{
    static const enum ph_growth_label least[] = {
        [FAIL_ON_GROWING] = PH_GROWTH_GROWING,
        [FAIL_ON_STEP] = PH_GROWTH_PLATEAU,
        [FAIL_ON_NEVER] = PH_GROWTH_LABEL_COUNT,
    };
    return ph_diff_has_grown(report, least[fail_on]) ? PH_EXIT_GREW : PH_EXIT_DONE;
}

static int compare(struct ph_diff_inputs *inputs, struct ph_growth *growth, const struct request *request)
{
    struct ph_growth_report *report = NULL;
    struct ph_error error = {0};
    int failed = ph_diff_inputs_read(inputs, growth, &error);
    if (failed == 0)
        failed = ph_growth_report(growth, &report, &error);
    if (failed == 0)
        failed = write_result(inputs, report, request, &error);
    int status = failed ? PH_EXIT_FAILURE : exit_status(report, request->fail_on);
    if (failed)
        ph_complain("%s", error.text);
    if (report)
        ph_growth_report_free(report);
    return status;
}

static int add_inputs(const struct ph_command *command, struct ph_diff_inputs *inputs, int count, char **words)
{
    struct ph_error error;
    for (int i = 0; i < count; i++) {
        int failed = ph_diff_inputs_add(inputs, words[i], &error);
        if (failed == -EINVAL)
            return ph_usage_error(command, "%s", error.text);
        if (failed) {
            ph_complain("%s", error.text);
            return PH_EXIT_FAILURE;
        }
    }
    if (inputs->count < 2)
        return ph_usage_error(command, "expected two profiles or more, or a folder of them%s",
                              inputs->count ? ", not one" : "");
    return PH_EXIT_DONE;
}

static int run(const struct ph_command *command, int argc, char **argv)
{
    struct request request = {.options = PH_DIFF_OPTIONS_INIT, .fail_on = FAIL_ON_STEP, .output = "-"};
    struct ph_diff_inputs inputs = {0};
    struct ph_growth *growth;
    struct ph_error error;
    int status;
    if (!ph_args_read(command, argc, argv, take, &request, &status))
        return status;
    status = finish(command, &request);
    if (status != PH_EXIT_DONE)
        return status;
    status = ph_growth_new(&request.options.growth, &growth, &error);
    if (status < 0) /* it names the option */
        return ph_usage_error(command, "%s%s", status == -EINVAL ? "--" : "", error.text);
    inputs.source = (struct ph_source_options){.route = "/debug/pprof/heap",
                                               .query = "",
                                               .token_file = request.options.token_file,
                                               .decode = &request.options.decode};
    inputs.keeps_ends = request.format->write_ends != NULL;
    status = add_inputs(command, &inputs, argc - optind, argv + optind);
    if (status == PH_EXIT_DONE)
        status = compare(&inputs, growth, &request);
    ph_diff_inputs_fini(&inputs);
    ph_growth_free(growth);
    return status;
}

const struct ph_command ph_cmd_diff = {
    .name = "diff",
    .operands = "PROFILE PROFILE...",
    .summary = "show what grew between heap profiles, since when and where",
    .about =
        "Compares two heap profiles or more: files of any kind that `porthole heap` reads, folders of them (as "
        "`porthole record` makes), a process or an endpoint as it is now. It tells how much the heap grew and "
        "whether "
        "that is more than sampling noise, which call sites grew, and the frames in the call tree where the growth "
        "concentrates. Of three profiles or more it also tells since when, and whether a site is still growing, "
        "made "
        "a step, or has levelled off.\n"
        "Profiles are put in the order of the times in them, else in the order given. Exit status: 0 nothing grew, "
        "3 "
        "something did, 1 failure, 2 wrong usage.",
    .flags = flags,
    .run = run,
};
