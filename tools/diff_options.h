/*
 * diff_options.h - the options that diff and watch share: what is compared, which of it is shown, and how.
 *
 *     static const struct ph_flag flags[] = {PH_DIFF_FLAGS, {OUTPUT, "output", …}, {0}}; // >= PH_DIFF_KEY_END
 *
 *     struct ph_diff_options options = PH_DIFF_OPTIONS_INIT;
 *     … in the function that ph_args_read() hands options to:
 *         if (ph_diff_options_know(key)) … ph_diff_options_take(command, &options, key, value) …
 */
#ifndef PH_TOOLS_DIFF_OPTIONS_H
#define PH_TOOLS_DIFF_OPTIONS_H

#include "growth/analysis.h"
#include "tools/args.h"
#include "tools/decode.h"
#include "tools/diff_text.h"
#include "tools/terminal.h"

#include <stdbool.h>

enum ph_diff_key {
    PH_DIFF_METRIC = PH_KEY_FIRST,
    PH_DIFF_BY,
    PH_DIFF_FOCUS,
    PH_DIFF_IGNORE,
    PH_DIFF_HIDE,
    PH_DIFF_TOP,
    PH_DIFF_MIN,
    PH_DIFF_LIMIT,
    PH_DIFF_FDR,
    PH_DIFF_STRICT,
    PH_DIFF_COLOR,
    PH_DIFF_BINARY,
    PH_DIFF_DEBUG_DIR,
    PH_DIFF_TOKEN_FILE,
    PH_DIFF_KEY_END, /* here the command's own keys begin */
};

/* Rows for the table of a command (struct ph_flag). */
#define PH_DIFF_FLAGS                                                                                              \
    {PH_DIFF_METRIC, "metric", "NAME",                                                                             \
     "inuse_space (bytes held, the default), inuse_objects, alloc_space (bytes ever allocated) or "                \
     "alloc_objects"},                                                                                             \
        {PH_DIFF_BY, "by", "WHAT",                                                                                 \
         "what tells two stacks apart: function (the default), line, address, module, or pid: by function, in "    \
         "each "                                                                                                   \
         "process of a family on its own"},                                                                        \
        {PH_DIFF_FOCUS, "focus", "REGEX", "only stacks with a function, file or module that matches"},             \
        {PH_DIFF_IGNORE, "ignore", "REGEX", "without stacks that have a match"},                                   \
        {PH_DIFF_HIDE, "hide", "REGEX", "without frames that match; their stacks stay"},                           \
        {PH_DIFF_TOP, "top", "N", "show at most N call sites of each kind [as the terminal has room; else 10]"},   \
        {PH_DIFF_MIN, "min", "SIZE", "smaller changes are not called growth [1MiB]; of objects: a count"},         \
        {PH_DIFF_LIMIT, "limit", "SIZE", "tell when the total will meet this, such as 2GiB"},                      \
        {PH_DIFF_FDR, "fdr", "SHARE", "the share of false ones to accept among the sites called growing [0.05]"},  \
        {PH_DIFF_STRICT, "strict", NULL, "hold that share however the sites depend on each other; finds less"},    \
        {PH_DIFF_COLOR, "color", "WHEN", PH_COLOR_HELP}, {PH_DIFF_BINARY, "binary", "FILE", PH_BINARY_HELP},       \
        {PH_DIFF_DEBUG_DIR, "debug-dir", "DIR", PH_DEBUG_DIR_HELP},                                                \
    {                                                                                                              \
        PH_DIFF_TOKEN_FILE, "token-file", "FILE", PH_TOKEN_FILE_HELP                                               \
    }

struct ph_diff_options {
    struct ph_growth_options growth; /* its texts are borrowed from the command line */
    size_t top_count;                /* 0: as many as fit */
    struct ph_decode_options decode;
    enum ph_colour colour;
    const char *token_file; /* NULL: $PORTHOLE_TOKEN_FILE */
    const char *min_text;   /* as given: its unit depends on the metric */
};

#define PH_DIFF_OPTIONS_INIT                                                                                       \
    {                                                                                                              \
        .growth = {.metric = PH_HEAP_INUSE_SPACE, .min_change = -1 }                                               \
    }

/** ph_diff_options_know() - is @key one of the above? */
bool ph_diff_options_know(int key);

/** ph_diff_options_take() - PH_EXIT_DONE, or PH_EXIT_USAGE once it has complained. @value is borrowed. */
int ph_diff_options_take(const struct ph_command *command, struct ph_diff_options *options, int key,
                         const char *value);

/** ph_diff_options_finish() - after the last one: what only makes sense together. As ph_diff_options_take(). */
int ph_diff_options_finish(const struct ph_command *command, struct ph_diff_options *options);

/** ph_diff_options_view() - how to show a report on stdout, by --color, NO_COLOR, TERM, locale and terminal. */
struct ph_diff_view ph_diff_options_view(const struct ph_diff_options *options);

#endif
