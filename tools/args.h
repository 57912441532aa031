/* args.h - the options of a command line, by the table of the command; getopt_long does the work. */
#ifndef PH_TOOLS_ARGS_H
#define PH_TOOLS_ARGS_H

#include "tools/command.h"
#include "tools/target.h"

#include <getopt.h>
#include <stdint.h>

#define PH_FLAGS_MAX 24

struct ph_args {
    const struct ph_command *command;
    int argc;
    char **argv;
    struct option options[PH_FLAGS_MAX + 2]; /* those of the command, --help, and the end */
    char letters[2 * PH_FLAGS_MAX + 4];      /* the short options, as getopt wants them */
    const char *value;                       /* of the option ph_args_next() just returned */
    int exit_status;                         /* once ph_args_next() returned -1 */
};

void ph_args_init(struct ph_args *args, const struct ph_command *command, int argc, char **argv);

/**
 * ph_args_next() - the key of the next option; 0 when all are read: args->argv[optind] is then the first operand.
 *
 * -1 if the command has to end with args->exit_status: --help was printed, or a wrong option complained about.
 */
int ph_args_next(struct ph_args *args);

/** ph_take_duration() - the value of option --@name into @ret_ns: duration.h, at least @least_ns. Returns PH_EXIT_DONE, or
 * PH_EXIT_USAGE after saying what was expected. */
int ph_take_duration(const struct ph_command *command, const char *name, const char *value, int64_t least_ns,
                     int64_t *ret_ns);

/** ph_take_target() - the process, server, endpoint or file that an operand names: target_name.h. Returns PH_EXIT_DONE;
 * PH_EXIT_USAGE for what can be none of them, PH_EXIT_FAILURE if there is no such server, after saying so. */
int ph_take_target(const struct ph_command *command, const char *word, struct ph_target *ret_target);

#endif
