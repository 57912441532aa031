/* cmd_help.c - the manual in the terminal. */
#include "tools/args.h"
#include "tools/command.h"
#include "tools/help.h"

#include <string.h>

static int run(const struct ph_command *command, int argc, char **argv)
{
    int exit_status;
    if (!ph_args_read(command, argc, argv, NULL, NULL, &exit_status))
        return exit_status;
    if (argc - optind > 1)
        return ph_usage_error(command, "expected one command at most");
    if (optind == argc)
        return ph_help_overview(stdout);
    const char *topic = argv[optind];
    if (strcmp(topic, "env") == 0)
        return ph_help_environment(stdout);
    const struct ph_command *found = ph_command_find(topic);
    if (found)
        return ph_help_command(found, stdout);
    const char *nearest = ph_command_nearest(topic);
    if (nearest)
        ph_complain("no help on '%s'. Did you mean '%s'?", topic, nearest);
    else
        ph_complain("no help on '%s'; `porthole help` lists the commands", topic);
    return PH_EXIT_USAGE;
}

const struct ph_command ph_cmd_help = {
    .name = "help",
    .operands = "[COMMAND|env]",
    .summary = "explain a command, or with \"env\" the environment variables",
    .about = "Without an argument, lists the commands.",
    .run = run,
};
