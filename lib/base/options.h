/*
 * options.h - what the user asked for, from the environment; the rows are in options.def.
 *
 * Parsing copies: hosts such as nginx and postgres overwrite the memory of their environment later.
 * It allocates nothing and writes nowhere, so the probe may use it before main(). Any thread.
 */
#ifndef PH_BASE_OPTIONS_H
#define PH_BASE_OPTIONS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum ph_start {
    PH_START_SERVER,
    PH_START_NOW,
    PH_START_MANUAL,
    PH_START_OFF,
};

enum ph_log {
    PH_LOG_START,
    PH_LOG_QUIET,
};

#define PH_OPTION_TEXT_MAX 256 /* an AF_UNIX path has 108 bytes; folders may be longer */

struct ph_options {
    enum ph_start start;
    char listen[PH_OPTION_TEXT_MAX];
    char token_file[PH_OPTION_TEXT_MAX]; /* "" for none */
    uint64_t heap_sample_bytes;          /* 0 for off */
    char agent[PH_OPTION_TEXT_MAX];      /* "" for the usual places */
    int signal;                          /* 0 for any that is free */
    enum ph_log log;
};

/** One row of options.def, as text for people. */
struct ph_option_row {
    const char *name;    /* PORTHOLE_… */
    const char *preset;  /* the default, as one would write it; "" for none */
    const char *allowed; /* what a value may be */
    const char *help;    /* one paragraph */
};

/** ph_option_rows() - all rows, in the order of options.def. */
const struct ph_option_row *ph_option_rows(size_t *ret_count);

/** ph_options_preset() - every option at its default. */
void ph_options_preset(struct ph_options *options);

/**
 * ph_options_set() - set one option by its environment name.
 * 0; -ENOENT for a name that is no option; -EINVAL for a value that is not allowed: @error then holds the
 * name, the value and what is allowed, and @options is unchanged.
 */
int ph_options_set(struct ph_options *options, const char *name, const char *value, struct ph_error *error);

/**
 * ph_options_read() - defaults, then what @environment (NULL-terminated "NAME=value", may be NULL) says.
 *
 * A bad value keeps the default. Returns how many values were bad and fills @error with the first of them.
 */
int ph_options_read(struct ph_options *options, char *const *environment, struct ph_error *error);

/** ph_environment_find() - the value of a variable; NULL if @environment (may be NULL) has none. Not getenv(): hosts
 * such as bash bring one of their own. */
const char *ph_environment_find(char *const *environment, const char *name);

#endif
