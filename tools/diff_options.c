#include "tools/diff_options.h"

#include "base/scan.h"

#include <stdlib.h>
#include <string.h>

/* In the order of the enumerations. */
static const char *const metrics[] = {"alloc_objects", "alloc_space", "inuse_objects", "inuse_space", NULL};
static const char *const ways[] = {"function", "line", "address", "module", "pid", NULL};

bool ph_diff_options_know(int key)
{
    return key >= PH_DIFF_METRIC && key < PH_DIFF_KEY_END;
}

static int take_limit(const struct ph_command *command, const char *value, int64_t *ret_bytes)
{
    uint64_t bytes;
    if (ph_parse_size(value, &bytes) < 0 || bytes == 0 || bytes > INT64_MAX)
        return ph_usage_error(command, "--limit %s: expected a size such as 2GiB", value);
    *ret_bytes = (int64_t)bytes;
    return PH_EXIT_DONE;
}

static int take_rate(const struct ph_command *command, const char *value, double *ret_rate)
{
    char *end;
    double rate = strtod(value, &end);
    if (end == value || *end || !(rate > 0 && rate < 1))
        return ph_usage_error(command, "--fdr %s: expected a share between 0 and 1, such as 0.05", value);
    *ret_rate = rate;
    return PH_EXIT_DONE;
}

int ph_diff_options_take(const struct ph_command *command, struct ph_diff_options *options, int key,
                         const char *value)
{
    uint64_t count = 0;
    int place = 0, status = PH_EXIT_DONE;
    switch ((enum ph_diff_key)key) {
    case PH_DIFF_METRIC:
        status = ph_take_word(command, "metric", value, metrics, &place);
        options->growth.metric = (enum ph_heap_type)place;
        break;
    case PH_DIFF_BY:
        status = ph_take_word(command, "by", value, ways, &place);
        options->growth.by = (enum ph_growth_by)place;
        break;
    case PH_DIFF_FOCUS:
        options->growth.focus = value;
        break;
    case PH_DIFF_IGNORE:
        options->growth.ignore = value;
        break;
    case PH_DIFF_HIDE:
        options->growth.hide = value;
        break;
    case PH_DIFF_TOP:
        status = ph_take_count(command, "top", value, PH_TOP_MAX, &count);
        options->top_count = (size_t)count;
        break;
    case PH_DIFF_MIN:
        options->min_text = value;
        break;
    case PH_DIFF_LIMIT:
        return take_limit(command, value, &options->growth.limit_bytes);
    case PH_DIFF_FDR:
        return take_rate(command, value, &options->growth.false_discovery_rate);
    case PH_DIFF_STRICT:
        options->growth.is_strict = true;
        break;
    case PH_DIFF_COLOR:
        status = ph_take_word(command, "color", value, ph_colour_words, &place);
        options->colour = (enum ph_colour)place;
        break;
    case PH_DIFF_BINARY:
        options->decode.symbols.binary = value;
        break;
    case PH_DIFF_DEBUG_DIR:
        options->decode.symbols.debug_dir = value;
        break;
    case PH_DIFF_TOKEN_FILE:
        options->token_file = value;
        break;
    case PH_DIFF_KEY_END:
        break;
    }
    return status;
}

static bool counts_objects(enum ph_heap_type metric)
{
    return metric == PH_HEAP_ALLOC_OBJECTS || metric == PH_HEAP_INUSE_OBJECTS;
}

static void say(void *context, const char *text)
{
    (void)context;
    ph_complain("%s", text);
}

int ph_diff_options_finish(const struct ph_command *command, struct ph_diff_options *options)
{
    struct ph_growth_options *growth = &options->growth;
    bool objects = counts_objects(growth->metric);
    uint64_t least = 0;
    struct ph_error error;
    options->decode.metric = metrics[growth->metric];
    options->decode.symbols.warn = say;
    options->decode.symbols.wants_lines = growth->by == PH_BY_LINE;
    if (ph_symbol_sources_check(&options->decode.symbols, &error) < 0)
        return ph_usage_error(command, "%s", error.text);
    if (growth->limit_bytes && objects)
        return ph_usage_error(command, "--limit is in bytes, and --metric %s counts objects",
                              metrics[growth->metric]);
    if (!options->min_text)
        return PH_EXIT_DONE;
    if (objects ? ph_parse_count(options->min_text, INT64_MAX, &least) : ph_parse_size(options->min_text, &least))
        return ph_usage_error(command, "--min %s: expected %s", options->min_text,
                              objects ? "a number of objects" : "a size such as 256KiB");
    growth->min_change = (double)least;
    return PH_EXIT_DONE;
}

struct ph_diff_view ph_diff_options_view(const struct ph_diff_options *options)
{
    return (struct ph_diff_view){
        .width = ph_terminal_width(),
        .has_colour = ph_terminal_has_colour(options->colour),
        .has_utf8 = ph_terminal_has_utf8(),
        .height = ph_terminal_height(),
        .top_count = options->top_count,
    };
}
