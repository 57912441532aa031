/* cmd_ps.c - list the processes that have Porthole inside. */
#include "base/human.h"
#include "tools/args.h"
#include "tools/command.h"
#include "tools/instances.h"
#include "tools/table.h"
#include "tools/terminal.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define TIMEOUT_MS 1000L

enum { JSON = PH_KEY_FIRST };

static const struct ph_flag flags[] = {
    {JSON, "json", NULL, "print an array of objects: pid, url, uptime_seconds, rss_bytes, command, error"},
    {0},
};

static const struct ph_column columns[] = {
    {"PID", true}, {"URL", false}, {"UPTIME", true}, {"RSS", true}, {"COMMAND", false},
};

static void add_row(struct ph_table *table, const struct ph_instance *instance)
{
    char pid[16], command[512];
    const char *name = instance->command ? instance->command : "?";
    snprintf(pid, sizeof(pid), "%d", (int)instance->pid);
    ph_table_add(table, pid);
    if (instance->error.code == 0) {
        ph_table_add(table, !instance->url ? "?" : *instance->url ? instance->url : "-");
        ph_table_add(table, ph_human_duration(instance->uptime_seconds).text);
        ph_table_add(table, ph_human_bytes(instance->rss_bytes).text);
        ph_table_add(table, name);
        return;
    }
    for (int i = 0; i < 3; i++)
        ph_table_add(table, "?");
    snprintf(command, sizeof(command), "(%s) %s", instance->error.text, name);
    ph_table_add(table, command);
}

static int print_table(const struct ph_instance *instances, size_t count)
{
    struct ph_table table;
    struct ph_buf out = PH_BUF_INIT;
    if (count == 0) {
        puts("No process with Porthole inside. Start one with: porthole run -- COMMAND");
        return 0;
    }
    ph_table_init(&table, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < count; i++)
        add_row(&table, &instances[i]);
    int failed = ph_table_write(&table, ph_terminal_width(), &out);
    if (failed == 0)
        fwrite(out.data, 1, out.size_bytes, stdout);
    ph_buf_fini(&out);
    ph_table_fini(&table);
    return failed;
}

/* Strings from other processes may not be UTF-8, which JSON demands. */
static json_t *text_value(const char *text)
{
    json_t *value = text ? json_string(text) : json_null();
    return value ? value : json_null();
}

static json_t *to_json(const struct ph_instance *instance)
{
    bool answered = instance->error.code == 0;
    return json_pack("{s:i, s:o, s:o, s:o, s:o, s:o}", "pid", (int)instance->pid, "url",
                     text_value(answered ? instance->url : NULL), "uptime_seconds",
                     answered ? json_real(instance->uptime_seconds) : json_null(), "rss_bytes",
                     answered ? json_integer(instance->rss_bytes) : json_null(), "command",
                     text_value(instance->command), "error", text_value(answered ? NULL : instance->error.text));
}

static int print_json(const struct ph_instance *instances, size_t count)
{
    json_t *list = json_array();
    int failed = list ? 0 : -ENOMEM;
    for (size_t i = 0; i < count && failed == 0; i++)
        if (json_array_append_new(list, to_json(&instances[i])) < 0)
            failed = -ENOMEM;
    if (failed == 0) {
        json_dumpf(list, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
        putchar('\n');
    }
    json_decref(list);
    return failed;
}

static int list(bool as_json)
{
    pid_t *pids;
    size_t count;
    struct ph_error error;
    if (ph_instances_find(&pids, &count, &error) < 0) {
        ph_complain("%s", error.text);
        return PH_EXIT_FAILURE;
    }
    int failed = -ENOMEM;
    struct ph_instance *instances = calloc(count + 1, sizeof(*instances));
    if (instances && ph_instances_ask(pids, count, TIMEOUT_MS, instances) == 0) {
        failed = as_json ? print_json(instances, count) : print_table(instances, count);
        for (size_t i = 0; i < count; i++)
            ph_instance_fini(&instances[i]);
    }
    free(instances);
    free(pids);
    if (failed)
        ph_complain("out of memory");
    return failed ? PH_EXIT_FAILURE : PH_EXIT_DONE;
}

static int run(const struct ph_command *command, int argc, char **argv)
{
    struct ph_args args;
    bool as_json = false;
    int key;
    ph_args_init(&args, command, argc, argv);
    while ((key = ph_args_next(&args)) > 0)
        as_json = true; /* the only option there is */
    if (key < 0)
        return args.exit_status;
    if (optind < argc)
        return ph_usage_error(command, "unexpected argument '%s'", argv[optind]);
    return list(as_json);
}

const struct ph_command ph_cmd_ps = {
    .name = "ps",
    .operands = "",
    .summary = "list the processes that have Porthole inside",
    .about =
        "Asks every process that listens at a local socket @porthole/PID for its URL, uptime and resident memory. "
        "One that does not answer within a second, or not to this user, is listed with the reason. Sees the "
        "network namespace it runs in.",
    .flags = flags,
    .run = run,
};
