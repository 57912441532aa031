/* args.h - the options of a command line, by the table of the command; getopt_long does the work. */
#ifndef PH_TOOLS_ARGS_H
#define PH_TOOLS_ARGS_H

#include "tools/command.h"
#include "tools/target.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#define PH_FLAGS_MAX   24
#define PH_TOP_MAX     1000000 /* rows that --top may ask for */
#define PH_SECONDS_MAX 3600    /* of a profile, as the endpoint: lib/server/pprof_query.h */

/* What options of several commands are called in their help. */
#define PH_TOKEN_FILE_HELP "the token of an endpoint that asks for one; else $PORTHOLE_TOKEN_FILE"
#define PH_COLOR_HELP      "auto (on a terminal, unless NO_COLOR is set; the default), always, never"

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

/** ph_take_count() - the value of option --@name into @ret_count: a number from 1 to @max. As ph_take_duration(). */
int ph_take_count(const struct ph_command *command, const char *name, const char *value, uint64_t max,
                  uint64_t *ret_count);

/** ph_take_pid() - the value of --pid, a process id. As ph_take_duration(). */
int ph_take_pid(const struct ph_command *command, const char *value, uint64_t *ret_pid);

/** ph_take_word() - the value of option --@name, one of @words (NULL-terminated), as its place. As ph_take_duration(). */
int ph_take_word(const struct ph_command *command, const char *name, const char *value, const char *const *words,
                 int *ret_place);

/** ph_take_target() - the process, server, endpoint or file that an operand names: target_name.h. Returns PH_EXIT_DONE;
 * PH_EXIT_USAGE for what can be none of them, PH_EXIT_FAILURE if there is no such server, after saying so. */
int ph_take_target(const struct ph_command *command, const char *word, struct ph_target *ret_target);

/** ph_take_only_target() - the same of the one operand that is left in @argv. ph_take_live_target(): and it is no file; a
 * server goes before a file of its name. */
int ph_take_only_target(const struct ph_command *command, int argc, char **argv, struct ph_target *ret_target);
int ph_take_live_target(const struct ph_command *command, int argc, char **argv, struct ph_target *ret_target);

#endif
