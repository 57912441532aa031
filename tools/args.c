#include "tools/args.h"

#include "tools/help.h"

#include <stdio.h>

#define HELP_KEY (PH_KEY_FIRST + PH_FLAGS_MAX)

void ph_args_init(struct ph_args *args, const struct ph_command *command, int argc, char **argv)
{
    *args = (struct ph_args){.command = command, .argc = argc, .argv = argv};
    size_t count = 0;
    for (const struct ph_flag *flag = command->flags; flag && flag->name && count < PH_FLAGS_MAX; flag++)
        args->options[count++] =
            (struct option){flag->name, flag->value ? required_argument : no_argument, NULL, flag->key};
    args->options[count] = (struct option){"help", no_argument, NULL, HELP_KEY};
    optind = 1;
    opterr = 0; /* getopt's own messages do not say what to do */
}

static int stop(struct ph_args *args, int exit_status)
{
    args->exit_status = exit_status;
    return -1;
}

/* getopt leaves in optopt the key of a long option that is used wrongly, 0 for an unknown long option, whose word is
 * the one it stepped over last, and the letter of an unknown short one. */
static int refuse(struct ph_args *args)
{
    for (const struct option *option = args->options; optopt >= PH_KEY_FIRST && option->name; option++)
        if (option->val == optopt)
            return stop(args, ph_usage_error(args->command, "--%s %s", option->name,
                                             option->has_arg ? "needs a value" : "takes no value"));
    if (optopt == 0)
        return stop(args, ph_usage_error(args->command, "unknown option '%s'", args->argv[optind - 1]));
    return stop(args, ph_usage_error(args->command, "unknown option '-%c'", optopt));
}

int ph_args_next(struct ph_args *args)
{
    int key = getopt_long(args->argc, args->argv, args->command->stops_early ? "+:h" : ":h", args->options, NULL);
    args->value = optarg;
    switch (key) {
    case -1:
        return 0;
    case 'h':
    case HELP_KEY:
        return stop(args, ph_help_command(args->command, stdout));
    case ':':
    case '?':
        return refuse(args);
    default:
        return key;
    }
}
