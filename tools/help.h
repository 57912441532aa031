/* help.h - the help texts, made from the tables of commands and options. */
#ifndef PH_TOOLS_HELP_H
#define PH_TOOLS_HELP_H

#include "tools/command.h"

#include <stdio.h>

/** Each writes its page to @out and returns PH_EXIT_DONE; main() finds errors of writing. */
int ph_help_overview(FILE *out);
int ph_help_command(const struct ph_command *command, FILE *out);
int ph_help_environment(FILE *out);

#endif
