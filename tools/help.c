#include "tools/help.h"

#include "base/options.h"
#include "tools/wrap.h"

#include <string.h>

#define WIDTH       80
#define FLAG_INDENT 4
#define FLAG_COLUMN 24

int ph_help_overview(FILE *out)
{
    fputs("Usage: porthole COMMAND [ARGUMENT...]\n\n"
          "A window into running native servers: profiles without a rebuild.\n\nCommands:\n",
          out);
    for (const struct ph_command *const *command = ph_commands(); *command; command++)
        fprintf(out, "  %-8s %s\n", (*command)->name, (*command)->summary);
    fputs("\nOptions:\n"
          "  --help      this page\n"
          "  --version   the version of Porthole\n\n",
          out);
    ph_wrap("Begin with `porthole run -- COMMAND`, then `porthole ps`. `porthole help COMMAND` tells more about a "
            "command, `porthole help env` about the environment variables; so do porthole(1) and porthole-env(7).",
            0, 0, WIDTH, out);
    return PH_EXIT_DONE;
}

static void print_flag(int key, const char *name, const char *value, const char *help, FILE *out)
{
    char letter[8] = "", head[64];
    if (key < PH_KEY_FIRST)
        snprintf(letter, sizeof(letter), "-%c, ", key);
    snprintf(head, sizeof(head), "%s--%s%s%s", letter, name, value ? " " : "", value ? value : "");
    fprintf(out, "%*s%s", FLAG_INDENT, "", head);
    ph_wrap(help, FLAG_INDENT + strlen(head), FLAG_COLUMN, WIDTH, out);
}

int ph_help_command(const struct ph_command *command, FILE *out)
{
    bool has_flags = command->flags && command->flags->name;
    fprintf(out, "Usage: porthole %s%s%s%s\n\n", command->name, has_flags ? " [OPTION...]" : "",
            command->operands[0] ? " " : "", command->operands);
    ph_wrap(command->about, 0, 0, WIDTH, out);
    fputs("\nOptions:\n", out);
    for (const struct ph_flag *flag = command->flags; flag && flag->name; flag++)
        print_flag(flag->key, flag->name, flag->value, flag->help, out);
    print_flag(PH_KEY_FIRST, "help", NULL, "this page", out);
    return PH_EXIT_DONE;
}

int ph_help_environment(FILE *out)
{
    size_t count;
    const struct ph_option_row *row = ph_option_rows(&count);
    ph_wrap("What the library reads from the environment of the program it is loaded into. `porthole run` sets "
            "the variables that it has options for. A value that is not allowed is reported once, and the "
            "default is used: the program always starts.",
            0, 0, WIDTH, out);
    for (; count > 0; count--, row++) {
        fprintf(out, "\n%s\n", row->name);
        fprintf(out, "    Default: %s\n", row->preset[0] ? row->preset : "not set");
        fprintf(out, "    Allowed: %s\n", row->allowed);
        ph_wrap(row->help, 0, FLAG_INDENT, WIDTH, out);
    }
    return PH_EXIT_DONE;
}
