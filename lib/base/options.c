#include "base/options.h"

#include "base/scan.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Real-time signals, but the first, which programs count up from, and the last. */
#define SIGNAL_MIN      35
#define SIGNAL_MAX      63
#define HEAP_SAMPLE_MIN (UINT64_C(1) << 10)
#define HEAP_SAMPLE_MAX (UINT64_C(1) << 30)
#define PORT_MAX        65535

/* The place of @value among @names (NULL-terminated), -1 if it is none of them. */
static int choice(const char *value, const char *const *names)
{
    for (int i = 0; names[i]; i++)
        if (strcmp(value, names[i]) == 0)
            return i;
    return -1;
}

static bool set_text(char *field, const char *value)
{
    size_t length = strlen(value);
    if (length >= PH_OPTION_TEXT_MAX)
        return false;
    memcpy(field, value, length + 1);
    return true;
}

static bool parse_start(struct ph_options *options, const char *value)
{
    static const char *const names[] = {"server", "now", "manual", "off", NULL};
    int chosen = choice(value, names);
    if (chosen >= 0)
        options->start = (enum ph_start)chosen;
    return chosen >= 0;
}

static bool parse_log(struct ph_options *options, const char *value)
{
    static const char *const names[] = {"start", "quiet", NULL};
    int chosen = choice(value, names);
    if (chosen >= 0)
        options->log = (enum ph_log)chosen;
    return chosen >= 0;
}

/* Only the shape: whether the address exists is known when it is bound. */
static bool is_address(const char *value)
{
    if (strcmp(value, "off") == 0)
        return true;
    if (strncmp(value, "unix:/", 6) == 0)
        return value[6] != '\0' && strlen(value) < 5 + 108;
    const char *colon = strrchr(value, ':');
    uint64_t port;
    if (!colon || colon == value || ph_parse_count(colon + 1, PORT_MAX, &port) < 0)
        return false;
    bool bracketed = value[0] == '[' && colon[-1] == ']';
    return bracketed || memchr(value, ':', (size_t)(colon - value)) == NULL;
}

static bool parse_listen(struct ph_options *options, const char *value)
{
    return is_address(value) && set_text(options->listen, value);
}

static bool parse_token_file(struct ph_options *options, const char *value)
{
    return value[0] == '/' && set_text(options->token_file, value);
}

static bool parse_agent(struct ph_options *options, const char *value)
{
    return value[0] == '/' && set_text(options->agent, value);
}

static bool parse_heap_sample(struct ph_options *options, const char *value)
{
    uint64_t bytes = 0;
    if (strcmp(value, "off") != 0) {
        if (ph_parse_size(value, &bytes) < 0 || bytes < HEAP_SAMPLE_MIN || bytes > HEAP_SAMPLE_MAX ||
            (bytes & (bytes - 1)) != 0)
            return false;
    }
    options->heap_sample_bytes = bytes;
    return true;
}

static bool parse_signal(struct ph_options *options, const char *value)
{
    char *end = NULL;
    bool is_auto = strcmp(value, "auto") == 0;
    long number = is_auto ? 0 : strtol(value, &end, 10);
    if (!is_auto && (*end || number < SIGNAL_MIN || number > SIGNAL_MAX))
        return false;
    options->signal = (int)number;
    return true;
}

static const struct ph_option_row rows[] = {
#define OPTION(field, name, preset, allowed, help) {name, preset, allowed, help},
#include "base/options.def"
#undef OPTION
};

static bool (*const parsers[])(struct ph_options *, const char *) = {
#define OPTION(field, name, preset, allowed, help) parse_##field,
#include "base/options.def"
#undef OPTION
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

const struct ph_option_row *ph_option_rows(size_t *ret_count)
{
    *ret_count = ROW_COUNT;
    return rows;
}

void ph_options_preset(struct ph_options *options)
{
    memset(options, 0, sizeof(*options));
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (rows[i].preset[0])
            parsers[i](options, rows[i].preset);
}

static size_t find_row(const char *name, size_t name_length)
{
    size_t i = 0;
    while (i < ROW_COUNT && (strncmp(rows[i].name, name, name_length) != 0 || rows[i].name[name_length]))
        i++;
    return i;
}

static int set_row(struct ph_options *options, size_t row, const char *value, struct ph_error *error)
{
    /* An empty value is how shells write "not set". */
    if (value[0] == '\0' || parsers[row](options, value))
        return 0;
    return ph_error_set(error, -EINVAL, "%s=%.80s: expected %s", rows[row].name, value, rows[row].allowed);
}

int ph_options_set(struct ph_options *options, const char *name, const char *value, struct ph_error *error)
{
    size_t row = find_row(name, strlen(name));
    if (row == ROW_COUNT)
        return ph_error_set(error, -ENOENT, "%.80s: no such option", name);
    return set_row(options, row, value, error);
}

int ph_options_read(struct ph_options *options, char *const *environment, struct ph_error *error)
{
    int bad_count = 0;
    ph_options_preset(options);
    for (; environment && *environment; environment++) {
        const char *equals = strncmp(*environment, "PORTHOLE_", 9) == 0 ? strchr(*environment, '=') : NULL;
        size_t row = equals ? find_row(*environment, (size_t)(equals - *environment)) : ROW_COUNT;
        if (row < ROW_COUNT && set_row(options, row, equals + 1, bad_count ? NULL : error) < 0)
            bad_count++;
    }
    return bad_count;
}

const char *ph_environment_find(char *const *environment, const char *name)
{
    size_t length = strlen(name);
    for (; environment && *environment; environment++)
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
            return *environment + length + 1;
    return NULL;
}
