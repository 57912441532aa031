#include "tools/family_answer.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 4096 /* PH_MEMBERS_MAX of family/segment.h: there are no larger families */

static bool has_role(json_t *row, const char *role)
{
    const char *text = json_string_value(json_object_get(row, "role"));
    return text && strcmp(text, role) == 0;
}

static pid_t pid_of(json_t *row)
{
    json_int_t pid = json_integer_value(json_object_get(row, "pid"));
    return pid > 0 && pid <= INT_MAX ? (pid_t)pid : 0;
}

static pid_t front_of(json_t *rows)
{
    json_t *row;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        if (has_role(row, "front"))
            return pid_of(row);
    }
    return pid_of(json_array_get(rows, 0));
}

static bool lists(json_t *rows, pid_t pid)
{
    json_t *row;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        if (pid_of(row) == pid)
            return true;
    }
    return false;
}

int ph_family_answer_parse(const char *json, size_t size_bytes, pid_t pid, struct ph_family_answer *ret_answer,
                           struct ph_error *error)
{
    json_t *root = json_loadb(json ? json : "", size_bytes, 0, NULL);
    json_t *rows = json_object_get(root, "processes");
    if (!lists(rows, pid)) {
        ph_error_set(error, -EPROTO, "%s", root ? "it did not list itself" : "it did not answer in JSON");
        json_decref(root);
        return -EPROTO;
    }
    size_t count = json_array_size(rows);
    pid_t front = front_of(rows);
    *ret_answer = (struct ph_family_answer){root, rows, count < ROWS_MAX ? count : ROWS_MAX, front ? front : pid};
    return 0;
}

void ph_family_answer_fini(struct ph_family_answer *answer)
{
    json_decref(answer->root);
    *answer = (struct ph_family_answer){0};
}

pid_t ph_family_answer_pid(const struct ph_family_answer *answer, size_t row)
{
    return pid_of(json_array_get(answer->rows, row));
}

static char *copy_string(json_t *value)
{
    return json_is_string(value) ? strdup(json_string_value(value)) : NULL;
}

/* Some programs erase their arguments: then the name in brackets, as ps(1) does. */
static char *copy_command(json_t *row)
{
    const char *command = json_string_value(json_object_get(row, "command"));
    const char *name = json_string_value(json_object_get(row, "name"));
    char *copy = NULL;
    if (command && *command)
        return strdup(command);
    return asprintf(&copy, "[%s]", name ? name : "?") < 0 ? NULL : copy;
}

void ph_family_answer_take(const struct ph_family_answer *answer, size_t number, struct ph_instance *instance)
{
    json_t *row = json_array_get(answer->rows, number);
    json_t *uptime = json_object_get(row, "uptime_seconds"), *rss = json_object_get(row, "rss_bytes");
    json_int_t ppid = json_integer_value(json_object_get(row, "ppid"));
    instance->is_told = true;
    instance->family = answer->front;
    instance->ppid = ppid > 0 && ppid <= INT_MAX ? (pid_t)ppid : 0;
    instance->url = copy_string(json_object_get(answer->root, "url"));
    instance->name = copy_string(json_object_get(row, "name"));
    instance->command = copy_command(row);
    instance->uptime_seconds = json_is_number(uptime) ? json_number_value(uptime) : -1;
    instance->rss_bytes = json_is_integer(rss) ? json_integer_value(rss) : -1;
}
