/* cmd_ps.c - list the servers that have Porthole inside, and the processes they consist of. */
#include "base/human.h"
#include "tools/args.h"
#include "tools/command.h"
#include "tools/families.h"
#include "tools/table.h"
#include "tools/terminal.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#define TIMEOUT_MS 1000L

enum { ALL = PH_KEY_FIRST, JSON };

static const struct ph_flag flags[] = {
    {ALL, "all", NULL, "a line for each process, those of a server below the one that has the port"},
    {JSON, "json", NULL,
     "print an array of objects, one for each process: pid, ppid, role, family (the pid of its front), url, name, "
     "uptime_seconds, rss_bytes, command, error"},
    {0},
};

struct request {
    bool all, as_json;
};

/* ---- a line for each family ---- */

static const struct ph_column family_columns[] = {
    {"PID", true},    {"NAME", false}, {"URL", false},     {"PROCS", true},
    {"UPTIME", true}, {"RSS", true},   {"COMMAND", false},
};

static void add_number(struct ph_table *table, int64_t number)
{
    char text[24];
    snprintf(text, sizeof(text), "%lld", (long long)number);
    ph_table_add(table, text);
}

static const char *url_of(const struct ph_instance *instance)
{
    return !instance->url ? "?" : *instance->url ? instance->url : "-";
}

/* With the reason before it if the process did not answer. */
static void add_command(struct ph_table *table, const struct ph_instance *instance)
{
    struct ph_buf text = PH_BUF_INIT;
    if (instance->error.code)
        ph_buf_printf(&text, "(%s) ", instance->error.text);
    ph_buf_text(&text, instance->command ? instance->command : "?");
    ph_table_add(table, ph_buf_status(&text) == 0 ? text.data : "?");
    ph_buf_fini(&text);
}

static void add_figures(struct ph_table *table, double uptime_seconds, int64_t rss_bytes)
{
    ph_table_add(table, uptime_seconds < 0 ? "?" : ph_human_duration(uptime_seconds).text);
    ph_table_add(table, rss_bytes < 0 ? "?" : ph_human_bytes(rss_bytes).text);
}

/* As old as its oldest process, as large as all of them. */
static void add_family(struct ph_table *table, const struct ph_instance *members, size_t count)
{
    double uptime_seconds = -1;
    int64_t rss_bytes = -1;
    for (size_t i = 0; i < count; i++) {
        if (members[i].rss_bytes >= 0)
            rss_bytes = (rss_bytes < 0 ? 0 : rss_bytes) + members[i].rss_bytes;
        if (members[i].uptime_seconds > uptime_seconds)
            uptime_seconds = members[i].uptime_seconds;
    }
    add_number(table, members->pid);
    ph_table_add(table, members->name ? members->name : "?");
    ph_table_add(table, url_of(members));
    if (members->is_told)
        add_number(table, (int64_t)count);
    else
        ph_table_add(table, "?");
    add_figures(table, uptime_seconds, rss_bytes);
    add_command(table, members);
}

static void add_families(struct ph_table *table, const struct ph_families *families)
{
    for (size_t i = 0, count; i < families->count; i += count) {
        count = ph_family_count(families, i);
        add_family(table, &families->items[i], count);
    }
}

/* ---- a line for each process ---- */

static const struct ph_column process_columns[] = {
    {"PID", true},    {"NAME", false}, {"ROLE", false},    {"URL", false},
    {"UPTIME", true}, {"RSS", true},   {"COMMAND", false},
};

static const char *role_of(const struct ph_instance *instance)
{
    return !instance->is_told ? NULL : ph_instance_is_front(instance) ? "front" : "member";
}

static void add_process(struct ph_table *table, const struct ph_instance *process)
{
    const char *role = role_of(process);
    bool is_front = ph_instance_is_front(process);
    add_number(table, process->pid);
    ph_table_add(table, process->name ? process->name : "?");
    ph_table_add(table, role ? role : "?");
    ph_table_add(table, role && !is_front ? "-" : url_of(process));
    add_figures(table, process->uptime_seconds, process->rss_bytes);
    add_command(table, process);
}

static void add_processes(struct ph_table *table, const struct ph_families *families)
{
    for (size_t i = 0; i < families->count; i++)
        add_process(table, &families->items[i]);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int print_table(const struct ph_families *families, bool all)
{
    struct ph_table table;
    struct ph_buf out = PH_BUF_INIT;
    if (families->count == 0) {
        puts("No process with Porthole inside. Start one with: porthole run -- COMMAND");
        return 0;
    }
    ph_table_init(&table, all ? process_columns : family_columns,
                  all ? COUNT(process_columns) : COUNT(family_columns));
    if (all)
        add_processes(&table, families);
    else
        add_families(&table, families);
    int failed = ph_table_write(&table, ph_terminal_width(), &out);
    if (failed == 0)
        fwrite(out.data, 1, out.size_bytes, stdout);
    ph_buf_fini(&out);
    ph_table_fini(&table);
    return failed;
}

/* ---- JSON ---- */

/* Strings from other processes may not be UTF-8, which JSON demands. */
static json_t *text_value(const char *text)
{
    json_t *value = text ? json_string(text) : json_null();
    return value ? value : json_null();
}

static json_t *to_json(const struct ph_instance *process)
{
    bool is_told = process->is_told;
    return json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "pid", (int)process->pid, "ppid",
                     process->ppid ? json_integer(process->ppid) : json_null(), "role",
                     text_value(role_of(process)), "family", is_told ? json_integer(process->family) : json_null(),
                     "url", text_value(process->url), "name", text_value(process->name), "uptime_seconds",
                     process->uptime_seconds < 0 ? json_null() : json_real(process->uptime_seconds), "rss_bytes",
                     process->rss_bytes < 0 ? json_null() : json_integer(process->rss_bytes), "command",
                     text_value(process->command), "error",
                     text_value(process->error.code ? process->error.text : NULL));
}

static int print_json(const struct ph_families *families)
{
    json_t *list = json_array();
    int failed = list ? 0 : -ENOMEM;
    for (size_t i = 0; i < families->count && failed == 0; i++)
        if (json_array_append_new(list, to_json(&families->items[i])) < 0)
            failed = -ENOMEM;
    if (failed == 0) {
        json_dumpf(list, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
        putchar('\n');
    }
    json_decref(list);
    return failed;
}

static int list(const struct request *request)
{
    struct ph_families families;
    struct ph_error error;
    if (ph_families_find(TIMEOUT_MS, &families, &error) < 0) {
        ph_complain("%s", error.text);
        return PH_EXIT_FAILURE;
    }
    int failed = request->as_json ? print_json(&families) : print_table(&families, request->all);
    ph_families_fini(&families);
    if (failed)
        ph_complain("out of memory");
    return failed ? PH_EXIT_FAILURE : PH_EXIT_DONE;
}

static int take(const struct ph_command *command, void *context, int key, const char *value)
{
    struct request *request = context;
    (void)command;
    (void)value; /* none takes any */
    request->all |= key == ALL;
    request->as_json |= key == JSON;
    return PH_EXIT_DONE;
}

static int run(const struct ph_command *command, int argc, char **argv)
{
    struct request request = {false, false};
    int exit_status;
    if (!ph_args_read(command, argc, argv, take, &request, &exit_status))
        return exit_status;
    if (optind < argc)
        return ph_usage_error(command, "unexpected argument '%s'", argv[optind]);
    return list(&request);
}

const struct ph_command ph_cmd_ps = {
    .name = "ps",
    .operands = "",
    .summary = "list the servers that have Porthole inside",
    .about =
        "A line for each server: the process that has the port, its name, URL, the number of processes (those it "
        "was forked from or has forked), the uptime of the oldest, their resident memory in sum (what they share "
        "counts for each), and its command line. Each process that listens at a local socket @porthole/PID is "
        "found, but only as many are asked as are needed to hear of all.\n"
        "One that nobody tells of and that does not answer within a second, or not to this user, is listed with "
        "the "
        "reason. Sees the network namespace it runs in.",
    .flags = flags,
    .run = run,
};
