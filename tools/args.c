#include "tools/args.h"

#include "base/scan.h"
#include "tools/duration.h"
#include "tools/help.h"
#include "tools/nearest.h"
#include "tools/target_name.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define HELP_KEY (PH_KEY_FIRST + PH_FLAGS_MAX)

struct args {
    const struct ph_command *command;
    int argc;
    char **argv;
    struct option options[PH_FLAGS_MAX + 2]; /* those of the command, --help, and the end */
    char letters[2 * PH_FLAGS_MAX + 4];      /* the short options, as getopt wants them */
    int exit_status;                         /* once next_key() returned -1 */
};

static void init(struct args *args, const struct ph_command *command, int argc, char **argv)
{
    *args = (struct args){.command = command, .argc = argc, .argv = argv};
    size_t count = 0;
    char *letter = args->letters;
    letter = stpcpy(letter, command->stops_early ? "+:h" : ":h");
    for (const struct ph_flag *flag = command->flags; flag && flag->name && count < PH_FLAGS_MAX; flag++) {
        args->options[count++] =
            (struct option){flag->name, flag->value ? required_argument : no_argument, NULL, flag->key};
        if (flag->key < PH_KEY_FIRST) {
            *letter++ = (char)flag->key;
            letter = stpcpy(letter, flag->value ? ":" : "");
        }
    }
    *letter = '\0';
    args->options[count] = (struct option){"help", no_argument, NULL, HELP_KEY};
    optind = 1;
    opterr = 0; /* getopt's own messages do not say what to do */
}

static int stop(struct args *args, int exit_status)
{
    args->exit_status = exit_status;
    return -1;
}

static int refuse_unknown(struct args *args, const char *word)
{
    const char *names[PH_FLAGS_MAX + 2] = {NULL};
    char name[64];
    for (size_t i = 0; args->options[i].name; i++)
        names[i] = args->options[i].name;
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(word, "="), word);
    const char *nearest = ph_nearest(name + strspn(name, "-"), names);
    return stop(args, ph_usage_error(args->command, "unknown option '%s'%s%s", word, nearest ? ", perhaps --" : "",
                                     nearest ? nearest : ""));
}

/* getopt leaves in optopt the key of an option that is used wrongly, 0 for an unknown long option, whose word is
 * the one it stepped over last, and the letter of an unknown short one. */
static int refuse(struct args *args)
{
    for (const struct option *option = args->options; optopt && option->name; option++)
        if (option->val == optopt)
            return stop(args, ph_usage_error(args->command, "--%s %s", option->name,
                                             option->has_arg ? "needs a value" : "takes no value"));
    if (optopt == 0)
        return refuse_unknown(args, args->argv[optind - 1]);
    return stop(args, ph_usage_error(args->command, "unknown option '-%c'", optopt));
}

/* The key of the next option, its value in optarg; 0 when all are read, -1 if the command has to end. */
static int next_key(struct args *args)
{
    int key = getopt_long(args->argc, args->argv, args->letters, args->options, NULL);
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

bool ph_args_read(const struct ph_command *command, int argc, char **argv, ph_take_fn *take, void *context,
                  int *ret_exit_status)
{
    struct args args;
    int key, exit_status;
    init(&args, command, argc, argv);
    while ((key = next_key(&args)) > 0) {
        exit_status = take(command, context, key, optarg);
        if (exit_status != PH_EXIT_DONE) {
            *ret_exit_status = exit_status;
            return false;
        }
    }
    if (key < 0)
        *ret_exit_status = args.exit_status;
    return key == 0;
}

int ph_take_duration(const struct ph_command *command, const char *name, const char *value, int64_t least_ns,
                     int64_t *ret_ns)
{
    int64_t ns;
    if (ph_parse_duration(value, &ns) < 0 || ns < least_ns)
        return ph_usage_error(command,
                              "--%s %s: expected a duration such as 500ms, 10s, 2m or 1h30m, of at least %s", name,
                              value, ph_duration_text(least_ns).text);
    *ret_ns = ns;
    return PH_EXIT_DONE;
}

int ph_take_count(const struct ph_command *command, const char *name, const char *value, uint64_t max,
                  uint64_t *ret_count)
{
    uint64_t count;
    if (ph_parse_count(value, max, &count) < 0 || count == 0)
        return ph_usage_error(command, "--%s %s: expected a number from 1 to %" PRIu64, name, value, max);
    *ret_count = count;
    return PH_EXIT_DONE;
}

int ph_take_pid(const struct ph_command *command, const char *value, uint64_t *ret_pid)
{
    uint64_t pid;
    if (ph_parse_count(value, INT_MAX, &pid) < 0 || pid == 0)
        return ph_usage_error(command, "--pid %s: expected a process id", value);
    *ret_pid = pid;
    return PH_EXIT_DONE;
}

static int refuse_word(const struct ph_command *command, const char *name, const char *value,
                       const char *const *words)
{
    struct ph_buf list = PH_BUF_INIT;
    for (int i = 0; words[i]; i++) {
        ph_buf_text(&list, i == 0 ? "" : words[i + 1] ? ", " : " or ");
        ph_buf_text(&list, words[i]);
    }
    const char *nearest = ph_nearest(value, words);
    ph_usage_error(command, "--%s %s: expected %s%s%s", name, value, list.data ? list.data : "one it knows",
                   nearest ? "; perhaps " : "", nearest ? nearest : "");
    ph_buf_fini(&list);
    return PH_EXIT_USAGE;
}

int ph_take_word(const struct ph_command *command, const char *name, const char *value, const char *const *words,
                 int *ret_place)
{
    for (int i = 0; words[i]; i++) {
        if (strcmp(value, words[i]) != 0)
            continue;
        *ret_place = i;
        return PH_EXIT_DONE;
    }
    return refuse_word(command, name, value, words);
}

static int explain_target(const struct ph_command *command, int failed, const struct ph_error *error)
{
    if (failed == -EINVAL)
        return ph_usage_error(command, "%s", error->text);
    if (failed)
        ph_complain("%s", error->text);
    return failed ? PH_EXIT_FAILURE : PH_EXIT_DONE;
}

int ph_take_target(const struct ph_command *command, const char *word, struct ph_target *ret_target)
{
    struct ph_error error;
    return explain_target(command, ph_target_find(word, ret_target, &error), &error);
}

int ph_take_only_target(const struct ph_command *command, int argc, char **argv, struct ph_target *ret_target)
{
    if (argc - optind != 1)
        return ph_usage_error(command, "expected one process id, name, URL or file, not %d", argc - optind);
    return ph_take_target(command, argv[optind], ret_target);
}

int ph_take_live_target(const struct ph_command *command, int argc, char **argv, struct ph_target *ret_target)
{
    struct ph_error error;
    if (argc - optind != 1)
        return ph_usage_error(command, "expected one process id, name or URL, not %d", argc - optind);
    int exit_status = explain_target(command, ph_target_find_live(argv[optind], ret_target, &error), &error);
    if (exit_status == PH_EXIT_DONE && ret_target->kind == PH_TARGET_FILE)
        return ph_usage_error(command, "expected a process id, the name of a server, or a URL, not the file %s",
                              ret_target->text);
    return exit_status;
}
