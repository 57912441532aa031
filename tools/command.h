/*
 * command.h - what a subcommand is: a row with its name, its options as a table, its help and its body.
 *
 * Adding one: write cmd_<name>.c with a `const struct ph_command ph_cmd_<name>`, and list it in porthole.c. Option
 * parsing, `porthole help <name>` and the usage errors come from the row.
 *
 * Bodies return the exit status. They write their result to stdout with stdio and leave errors of writing to main().
 */
#ifndef PH_TOOLS_COMMAND_H
#define PH_TOOLS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

enum ph_exit {
    PH_EXIT_DONE = 0,
    PH_EXIT_FAILURE = 1,
    PH_EXIT_USAGE = 2,
    PH_EXIT_GREW = 3, /* diff and watch: all went well, and something grew */
};

#define PH_KEY_FIRST 256 /* keys begin above the characters, which stand for short options */

/* One option of a command: `--name VALUE` or `--name=VALUE`. */
struct ph_flag {
    int key; /* what ph_args_read() hands on for it, unique in the command: PH_KEY_FIRST or more; or the letter of
                its short form: 'o' for -o FILE */
    const char *name;
    const char *value; /* what to call the value in the help; NULL if it takes none */
    const char *help;
};

struct ph_command {
    const char *name;
    const char *operands;        /* as in the synopsis */
    const char *summary;         /* one line without a full stop */
    const char *about;           /* paragraphs, separated by '\n' */
    bool stops_early;            /* options end at the first operand: what follows belongs to another program */
    const struct ph_flag *flags; /* ends with a row without a name; NULL for none */
    int (*run)(const struct ph_command *command, int argc, char **argv); /* argv[0] is the command's name */
};

extern const struct ph_command ph_cmd_convert;
extern const struct ph_command ph_cmd_diff;
extern const struct ph_command ph_cmd_heap, ph_cmd_threads, ph_cmd_cpu, ph_cmd_help, ph_cmd_ps, ph_cmd_record,
    ph_cmd_run, ph_cmd_watch;

/** ph_commands() - all of them, NULL-terminated, in the order of the help. */
const struct ph_command *const *ph_commands(void);

/** ph_command_find() - by name; NULL if there is none. ph_command_nearest(): the name a slip probably meant, or NULL. */
const struct ph_command *ph_command_find(const char *name);
const char *ph_command_nearest(const char *name);

/** ph_complain() - "porthole: …" and a line end on stderr. What comes from elsewhere is made visible first. */
void ph_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** ph_usage_error() - "porthole heap: …; see: porthole help heap" on stderr. Returns PH_EXIT_USAGE. */
int ph_usage_error(const struct ph_command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
