/* args.h - the options of a command line, by the table of the command; getopt_long does the work. */
#ifndef PH_TOOLS_ARGS_H
#define PH_TOOLS_ARGS_H

#include "tools/command.h"
#include "tools/target.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#define PH_FLAGS_MAX 24

/** What a command does with one option: @value is NULL if it takes none. PH_EXIT_DONE, or the status to end with after
 * saying why. */
typedef int ph_take_fn(const struct ph_command *command, void *context, int key, const char *value);

/**
 * ph_args_read() - hand every option to @take (NULL for a command without options).
 *
 * True when all are read: argv[optind] is then the first operand. False if the command has to end with @ret_exit_status:
 * --help was printed, or a wrong option complained about.
 */
bool ph_args_read(const struct ph_command *command, int argc, char **argv, ph_take_fn *take, void *context,
                  int *ret_exit_status);

/** ph_take_duration() - the value of option --@name into @ret_ns: duration.h, at least @least_ns. Returns PH_EXIT_DONE, or
 * PH_EXIT_USAGE after saying what was expected. */
int ph_take_duration(const struct ph_command *command, const char *name, const char *value, int64_t least_ns,
                     int64_t *ret_ns);

/** ph_take_target() - the process, server, endpoint or file that an operand names: target_name.h. Returns PH_EXIT_DONE;
 * PH_EXIT_USAGE for what can be none of them, PH_EXIT_FAILURE if there is no such server, after saying so. */
int ph_take_target(const struct ph_command *command, const char *word, struct ph_target *ret_target);

#endif
