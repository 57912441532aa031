/* cmd_convert.c - a heap profile of any format, from a file or a process, as pprof, folded stacks or a flame graph. */
#include "model/demangle.h"
#include "model/folded.h"
#include "model/pprof_write.h"
#include "tools/args.h"
#include "tools/command.h"
#include "tools/flame_svg.h"
#include "tools/output.h"
#include "tools/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT = PH_KEY_FIRST, METRIC, BINARY, DEBUG_DIR, TOKEN_FILE };

static const struct ph_flag flags[] = {
    {'o', "output", "OUT", "where to write; - is standard output"},
    {FORMAT, "format", "NAME",
     "pprof, folded or svg; else by the end of OUT: .pb.gz, .pb, .pprof, .prof; .folded, .collapsed, .txt; .svg"},
    {METRIC, "metric", "NAME",
     "what folded stacks and flame graphs count, and pprof shows first, such as inuse_space (the default), "
     "inuse_objects, alloc_space or alloc_objects; of folded input: what its counts are"},
    {BINARY, "binary", "FILE", PH_BINARY_HELP},
    {DEBUG_DIR, "debug-dir", "DIR", PH_DEBUG_DIR_HELP},
    {TOKEN_FILE, "token-file", "FILE", PH_TOKEN_FILE_HELP},
    {0},
};

struct request {
    const char *input, *output, *metric, *token_file;
    const struct format *format;
    struct ph_decode_options decode;
};

/* ---- formats ---- */

static int write_pprof(struct ph_profile *profile, uint32_t type, const struct request *request, struct ph_buf *out)
{
    if (request->metric)
        profile->default_type = profile->types[type].type;
    return ph_pprof_write(profile, out, NULL);
}

static int write_folded(struct ph_profile *profile, uint32_t type, const struct request *request,
                        struct ph_buf *out)
{
    int failed = ph_profile_demangle(profile);
    return failed ? failed : ph_folded_write(profile, type, out);
}

static int write_svg(struct ph_profile *profile, uint32_t type, const struct request *request, struct ph_buf *out)
{
    const char *slash = strrchr(request->input, '/');
    struct ph_flame_options options = {.title = slash && slash[1] ? slash + 1 : request->input, .type = type};
    int failed = ph_profile_demangle(profile);
    return failed ? failed : ph_flame_svg_write(profile, &options, out);
}

#define ENDINGS_MAX 5

static const struct format {
    const char *name;
    const char *endings[ENDINGS_MAX];
    int (*write)(struct ph_profile *profile, uint32_t type, const struct request *request, struct ph_buf *out);
} formats[] = {
    {"pprof", {".pb.gz", ".pb", ".pprof", ".prof"}, write_pprof},
    {"folded", {".folded", ".collapsed", ".txt"}, write_folded},
    {"svg", {".svg"}, write_svg},
};

#define FORMAT_COUNT (sizeof(formats) / sizeof(formats[0]))

static const struct format *find_format(const char *name)
{
    for (size_t i = 0; i < FORMAT_COUNT; i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}

static const struct format *format_of(const char *output)
{
    for (size_t i = 0; i < FORMAT_COUNT; i++)
        for (const char *const *ending = formats[i].endings; *ending; ending++)
            if (ph_ends_with(output, *ending))
                return &formats[i];
    return NULL;
}

/* ---- the work ---- */

static void warn(void *context, const char *text)
{
    ph_complain("%s", text);
}

static int no_such_type(const struct ph_profile *profile, const struct request *request)
{
    struct ph_buf types = PH_BUF_INIT;
    for (uint32_t i = 0; i < profile->type_count; i++) {
        ph_buf_text(&types, i ? ", " : "");
        ph_buf_text(&types, ph_profile_text(profile, profile->types[i].type));
    }
    ph_complain("%s has no %s, but %s", request->input, request->metric, types.data ? types.data : "nothing");
    ph_buf_fini(&types);
    return PH_EXIT_FAILURE;
}

/* What is asked for; else what is in use; else what the profile itself shows first, or its last. -1: not there. */
static int choose_type(const struct ph_profile *profile, const struct request *request)
{
    if (request->metric)
        return ph_profile_find_type(profile, request->metric);
    int type = ph_profile_find_type(profile, "inuse_space");
    if (type < 0 && profile->default_type)
        type = ph_profile_find_type(profile, ph_profile_text(profile, profile->default_type));
    return type < 0 ? (int)profile->type_count - 1 : type;
}

static int write_profile(struct ph_profile *profile, const struct request *request)
{
    struct ph_buf out = PH_BUF_INIT;
    struct ph_error error = {0};
    int type = choose_type(profile, request);
    if (type < 0)
        return no_such_type(profile, request);
    int failed = request->format->write(profile, (uint32_t)type, request, &out);
    if (failed)
        ph_error_set(&error, failed, "%.150s: out of memory", request->input);
    else
        failed = ph_output_write(request->output, out.data ? out.data : "", out.size_bytes, &error);
    ph_buf_fini(&out);
    if (failed)
        ph_complain("%s", error.text);
    return failed ? PH_EXIT_FAILURE : PH_EXIT_DONE;
}

static int convert(const struct ph_target *target, struct request *request)
{
    struct ph_profile *profile;
    enum ph_format format;
    struct ph_error error;
    request->decode.metric = request->metric;
    request->decode.symbols.warn = warn;
    struct ph_source_options options = {
        .route = "/debug/pprof/heap",
        .query = "",
        .token_file = request->token_file,
        .decode = &request->decode,
    };
    if (ph_source_read(target, &options, &format, &profile, &error) < 0) {
        ph_complain("%s", error.text);
        return PH_EXIT_FAILURE;
    }
    int exit_status = write_profile(profile, request);
    ph_profile_free(profile);
    return exit_status;
}

/* ---- the command line ---- */

static int take(const struct ph_command *command, void *context, int key, const char *value)
{
    struct request *request = context;
    const char **const texts[] = {[METRIC - FORMAT] = &request->metric,
                                  [BINARY - FORMAT] = &request->decode.symbols.binary,
                                  [DEBUG_DIR - FORMAT] = &request->decode.symbols.debug_dir,
                                  [TOKEN_FILE - FORMAT] = &request->token_file};
    if (key == 'o')
        request->output = value;
    else if (key != FORMAT)
        *texts[key - FORMAT] = value;
    else if (!(request->format = find_format(value)))
        return ph_usage_error(command, "--format %s: expected pprof, folded or svg", value);
    return PH_EXIT_DONE;
}

static int finish(const struct ph_command *command, struct request *request)
{
    if (!request->output)
        return ph_usage_error(command, "expected -o OUT: where to write");
    if (!request->format)
        request->format = format_of(request->output);
    if (!request->format)
        return ph_usage_error(command, "the name %s tells no format: expected --format pprof, folded or svg",
                              request->output);
    return PH_EXIT_DONE;
}

static int run(const struct ph_command *command, int argc, char **argv)
{
    struct request request = {0};
    struct ph_target target;
    int exit_status;
    if (!ph_args_read(command, argc, argv, take, &request, &exit_status))
        return exit_status;
    if (argc - optind != 1)
        return ph_usage_error(command, "expected one file, process id, name or URL, not %d", argc - optind);
    if ((exit_status = ph_take_target(command, argv[optind], &target)) != PH_EXIT_DONE)
        return exit_status;
    if ((exit_status = finish(command, &request)) != PH_EXIT_DONE)
        return exit_status;
    request.input = argv[optind];
    return convert(&target, &request);
}

const struct ph_command ph_cmd_convert = {
    .name = "convert",
    .operands = "FILE|PID|NAME|URL",
    .summary = "turn a profile into pprof, folded stacks or a flame graph",
    .about =
        "Reads a heap profile of any format (pprof, jemalloc heap_v2, the text of gperftools and Go, folded "
        "stacks: "
        "told by content, gzipped or not) and writes it as pprof, as folded stacks, or as a flame graph in one SVG "
        "file. Addresses without names get functions, files, lines and inlined calls from local files of the same "
        "build; what has none is written as file+0xoffset. OUT is there as a whole or not at all.",
    .flags = flags,
    .run = run,
};
