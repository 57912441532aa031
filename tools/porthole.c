/* porthole.c - the command: finds the subcommand in a table and makes sure that its output arrived. */
#include "base/buf.h"
#include "base/visible.h"
#include "tools/command.h"
#include "tools/help.h"
#include "tools/nearest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct ph_command *const commands[] = {
    &ph_cmd_run,    &ph_cmd_ps,    &ph_cmd_heap,    &ph_cmd_threads, &ph_cmd_cpu, &ph_cmd_diff,
    &ph_cmd_record, &ph_cmd_watch, &ph_cmd_convert, &ph_cmd_help,    NULL};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]) - 1)

const struct ph_command *const *ph_commands(void)
{
    return commands;
}

const struct ph_command *ph_command_find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

const char *ph_command_nearest(const char *name)
{
    const char *names[COMMAND_COUNT + 1] = {NULL};
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i]->name;
    return ph_nearest(name, names);
}

static void print_error(const char *command, const char *format, va_list args, const char *advice_for)
{
    struct ph_buf text = PH_BUF_INIT, shown = PH_BUF_INIT;
    ph_buf_vprintf(&text, format, args);
    ph_visible(&shown, text.data ? text.data : "");
    fprintf(stderr, "porthole%s%s: %s", *command ? " " : "", command, shown.data ? shown.data : "");
    if (*advice_for)
        fprintf(stderr, "; see: porthole help %s", advice_for);
    fputc('\n', stderr);
    ph_buf_fini(&text);
    ph_buf_fini(&shown);
}

void ph_complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_error("", format, args, "");
    va_end(args);
}

int ph_usage_error(const struct ph_command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_error(command->name, format, args, command->name);
    va_end(args);
    return PH_EXIT_USAGE;
}

/* A file or a socket opened later must not become stdin, stdout or stderr. Opened for the wrong direction, so that
 * writing to a closed stdout still fails; closed on exec, so that `run` hands on what it was given. */
static void fill_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            if (open("/dev/null", (fd == 0 ? O_WRONLY : O_RDONLY) | O_CLOEXEC) != fd)
                return;
}

static int unknown_command(const char *name)
{
    const char *nearest = ph_command_nearest(name);
    if (nearest)
        ph_complain("no command '%s'. Did you mean '%s'?", name, nearest);
    else
        ph_complain("no command '%s'; `porthole help` lists them", name);
    return PH_EXIT_USAGE;
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) {
        ph_help_overview(stderr);
        return PH_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("porthole " PACKAGE_VERSION);
        return PH_EXIT_DONE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return ph_help_overview(stdout);
    if (argv[1][0] == '-') {
        ph_complain("unknown option '%s'; see: porthole help", argv[1]);
        return PH_EXIT_USAGE;
    }
    const struct ph_command *command = ph_command_find(argv[1]);
    return command ? command->run(command, argc - 1, argv + 1) : unknown_command(argv[1]);
}

/* A full disk shows only when the buffer is written. */
int main(int argc, char **argv)
{
    fill_standard_descriptors();
    int exit_status = dispatch(argc, argv);
    bool failed_before = ferror(stdout);
    if (fflush(stdout) != 0 || failed_before) {
        ph_complain("cannot write to standard output: %s", failed_before && !errno ? "error" : strerror(errno));
        return exit_status == PH_EXIT_DONE ? PH_EXIT_FAILURE : exit_status;
    }
    return exit_status;
}
