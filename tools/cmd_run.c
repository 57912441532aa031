/*
 * cmd_run.c - start a program with Porthole inside: set LD_PRELOAD and options, then become the program.
 *
 * No fork: process id, signals, descriptors and exit status are the program's own.
 */
#include "base/options.h"
#include "tools/args.h"
#include "tools/command.h"
#include "tools/library.h"
#include "tools/program.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As env(1), nice(1) and shells. */
#define EXIT_CANNOT_START 126
#define EXIT_NOT_FOUND    127

enum { LISTEN = PH_KEY_FIRST, HEAP_SAMPLE, START, LOG, TOKEN_FILE };

static const struct ph_flag flags[] = {
    {LISTEN, "listen", "ADDR", "where the endpoint listens: 127.0.0.1:6060, [::1]:6060, unix:/path or off"},
    {HEAP_SAMPLE, "heap-sample", "SIZE", "mean bytes between two heap samples: a power of two as 512KiB, or off"},
    {START, "start", "WHEN", "server (at the first listen), now, manual (by porthole_init) or off"},
    {LOG, "log", "WHAT", "start (one line on stderr) or quiet"},
    {TOKEN_FILE, "token-file", "FILE",
     "its first line is the token that clients must send; needed outside loopback"},
    {0},
};

static const char *const variables[] = {
    [LISTEN - PH_KEY_FIRST] = "PORTHOLE_LISTEN",         [HEAP_SAMPLE - PH_KEY_FIRST] = "PORTHOLE_HEAP_SAMPLE",
    [START - PH_KEY_FIRST] = "PORTHOLE_START",           [LOG - PH_KEY_FIRST] = "PORTHOLE_LOG",
    [TOKEN_FILE - PH_KEY_FIRST] = "PORTHOLE_TOKEN_FILE",
};

/* The program may change its folder before it reads the file. */
static char *absolute(const char *path)
{
    char *resolved = realpath(path, NULL);
    if (!resolved)
        ph_complain("--token-file %s: %s", path, strerror(errno));
    return resolved;
}

static int set_option(const struct ph_command *command, void *context, int key, const char *value)
{
    (void)context; /* the environment is where it goes */
    struct ph_options scratch;
    struct ph_error error;
    const char *name = variables[key - PH_KEY_FIRST];
    if (!*value)
        return ph_usage_error(command, "an option has an empty value (%s)", name);
    char *path = key == TOKEN_FILE ? absolute(value) : NULL;
    if (key == TOKEN_FILE && !path)
        return PH_EXIT_USAGE;
    int exit_status = PH_EXIT_DONE;
    ph_options_preset(&scratch);
    if (ph_options_set(&scratch, name, path ? path : value, &error) < 0)
        exit_status = ph_usage_error(command, "%s", error.text);
    else if (setenv(name, path ? path : value, 1) < 0)
        exit_status = PH_EXIT_FAILURE;
    free(path);
    return exit_status;
}

static int set_preload(void)
{
    char executable[PATH_MAX];
    struct ph_error error;
    char *library;
    ssize_t length = readlink("/proc/self/exe", executable, sizeof(executable) - 1);
    executable[length > 0 ? length : 0] = '\0';
    if (ph_library_find(executable, PH_LIBDIR, &library, &error) < 0) {
        ph_complain("%s", error.text);
        return PH_EXIT_FAILURE;
    }
    char *preload = ph_library_preload(library, getenv("LD_PRELOAD"));
    int failed = !preload || setenv("LD_PRELOAD", preload, 1) < 0;
    free(preload);
    free(library);
    if (failed)
        ph_complain("out of memory");
    return failed ? PH_EXIT_FAILURE : PH_EXIT_DONE;
}

static void warn_if_deaf(const char *name)
{
    struct ph_error error;
    char *path = ph_program_find(name);
    if (path && ph_program_check(path, &error) < 0)
        ph_complain("%s", error.text);
    free(path);
}

static int run(const struct ph_command *command, int argc, char **argv)
{
    int exit_status;
    if (!ph_args_read(command, argc, argv, set_option, NULL, &exit_status))
        return exit_status;
    if (optind == argc)
        return ph_usage_error(command, "which program? As in: porthole run -- nginx");
    if ((exit_status = set_preload()) != PH_EXIT_DONE)
        return exit_status;
    warn_if_deaf(argv[optind]);
    execvp(argv[optind], argv + optind);
    int cause = errno;
    ph_complain("cannot start %s: %s", argv[optind], strerror(cause));
    return cause == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_START;
}

const struct ph_command ph_cmd_run = {
    .name = "run",
    .operands = "[--] COMMAND [ARGUMENT...]",
    .summary = "start a program with Porthole inside",
    .about =
        "Becomes COMMAND, with libporthole.so loaded into it: process id, signals, files and exit status are "
        "COMMAND's own. Its endpoint opens at its first listen(), by default at http://127.0.0.1:6060. Options "
        "win over the environment; see `porthole help env`.\n"
        "Exits with 127 if COMMAND was not found, 126 if it cannot be started.",
    .stops_early = true,
    .flags = flags,
    .run = run,
};
