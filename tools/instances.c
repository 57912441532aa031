#include "tools/instances.h"

#include "base/buf.h"
#include "base/scan.h"
#include "tools/http.h"
#include "tools/read_file.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOCKET_PREFIX       "porthole/"
#define LISTENING           0x10000 /* __SO_ACCEPTCON in the column "Flags" */
#define TABLE_LIMIT_BYTES   ((size_t)256 << 20)
#define ANSWER_LIMIT_BYTES  ((size_t)1 << 20)
#define COMMAND_LIMIT_BYTES ((size_t)4 << 20) /* ARG_MAX is 2 MiB by default */
#define TOGETHER_COUNT      128               /* asked at a time, so that descriptors suffice */

void ph_instance_socket(pid_t pid, char ret_name[PH_INSTANCE_SOCKET_MAX])
{
    snprintf(ret_name, PH_INSTANCE_SOCKET_MAX, SOCKET_PREFIX "%d", (int)pid);
}

static bool skip_field(struct ph_scan *line)
{
    const char *start = line->next;
    while (line->next < line->end && *line->next != ' ')
        line->next++;
    bool is_field = line->next > start;
    ph_scan_blanks(line);
    return is_field;
}

/* "Num RefCount Protocol Flags Type St Inode Path"; the pid in it, 0 if it is none of ours. */
static pid_t parse_line(struct ph_scan line)
{
    uint64_t flags, pid;
    if (!skip_field(&line) || !skip_field(&line) || !skip_field(&line) || !ph_scan_hex(&line, &flags))
        return 0;
    ph_scan_blanks(&line);
    if (!(flags & LISTENING) || !skip_field(&line) || !skip_field(&line) || !skip_field(&line))
        return 0;
    if (!ph_scan_text(&line, "@" SOCKET_PREFIX) || !ph_scan_decimal(&line, &pid) || !ph_scan_done(&line))
        return 0;
    return pid <= INT_MAX ? (pid_t)pid : 0;
}

static int compare_pids(const void *a, const void *b)
{
    pid_t left = *(const pid_t *)a, right = *(const pid_t *)b;
    return (left > right) - (left < right);
}

static size_t sort_once(pid_t *pids, size_t count)
{
    size_t kept = 0;
    if (count > 0)
        qsort(pids, count, sizeof(*pids), compare_pids);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || pids[i] != pids[kept - 1])
            pids[kept++] = pids[i];
    return kept;
}

int ph_instances_parse(const char *text, size_t size_bytes, pid_t **ret_pids, size_t *ret_count)
{
    struct ph_scan scan = ph_scan_over(text, size_bytes);
    struct ph_buf pids = PH_BUF_INIT;
    while (!ph_scan_done(&scan)) {
        pid_t pid = parse_line(ph_scan_line(&scan));
        if (pid > 0)
            ph_buf_append(&pids, &pid, sizeof(pid));
    }
    size_t taken_bytes;
    pid_t *taken = (pid_t *)(void *)ph_buf_take(&pids, &taken_bytes);
    if (!taken) {
        ph_buf_fini(&pids);
        return -ENOMEM;
    }
    *ret_count = sort_once(taken, taken_bytes / sizeof(*taken));
    *ret_pids = taken;
    return 0;
}

int ph_instances_find(pid_t **ret_pids, size_t *ret_count, struct ph_error *error)
{
    struct ph_buf text = PH_BUF_INIT;
    int failed = ph_read_file("/proc/net/unix", TABLE_LIMIT_BYTES, &text, error);
    if (failed == 0 && ph_instances_parse(text.data, text.size_bytes, ret_pids, ret_count) < 0)
        failed = ph_error_set(error, -ENOMEM, "out of memory");
    ph_buf_fini(&text);
    return failed;
}

bool ph_instance_is_foreign(pid_t pid)
{
    char path[32];
    struct stat status;
    snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    return geteuid() != 0 && stat(path, &status) == 0 && status.st_uid != geteuid();
}

/* The command line as /proc has it: NULs between the arguments. NULL if there is none to be had. */
static char *command_of(pid_t pid)
{
    char path[32];
    struct ph_buf text = PH_BUF_INIT;
    snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
    int failed = ph_read_file(path, COMMAND_LIMIT_BYTES, &text, NULL);
    while (text.size_bytes > 0 && text.data[text.size_bytes - 1] == '\0')
        text.size_bytes--;
    for (size_t i = 0; i < text.size_bytes; i++)
        if (text.data[i] == '\0')
            text.data[i] = ' ';
    char *command = failed == 0 && text.size_bytes > 0 ? ph_buf_take(&text, NULL) : NULL;
    ph_buf_fini(&text);
    return command;
}

/* The row of @pid among "processes": a member of a family may list its relatives, too. */
static json_t *find_process(json_t *answer, pid_t pid)
{
    size_t i;
    json_t *process;
    json_array_foreach(json_object_get(answer, "processes"), i, process)
    {
        if (json_integer_value(json_object_get(process, "pid")) == pid)
            return process;
    }
    return NULL;
}

static char *copy_string(json_t *value)
{
    return json_is_string(value) ? strdup(json_string_value(value)) : NULL;
}

/* Some programs erase their arguments: then the name in brackets, as ps(1) does. */
static char *copy_command(json_t *process)
{
    const char *command = json_string_value(json_object_get(process, "command"));
    const char *name = json_string_value(json_object_get(process, "name"));
    char *copy = NULL;
    if (command && *command)
        return strdup(command);
    return asprintf(&copy, "[%s]", name ? name : "?") < 0 ? NULL : copy;
}

static void take_answer(struct ph_instance *instance, const struct ph_buf *body)
{
    json_t *answer = json_loadb(body->data ? body->data : "", body->size_bytes, 0, NULL);
    json_t *process = find_process(answer, instance->pid);
    if (process) {
        instance->url = copy_string(json_object_get(answer, "url"));
        instance->command = copy_command(process);
        instance->uptime_seconds = json_number_value(json_object_get(process, "uptime_seconds"));
        instance->rss_bytes = json_integer_value(json_object_get(process, "rss_bytes"));
    } else {
        ph_error_set(&instance->error, -EPROTO, "%s",
                     answer ? "it did not list itself" : "it did not answer in JSON");
    }
    json_decref(answer);
}

/* Too large for a stack, and asked together so that one that hangs delays nobody. */
struct questions {
    char names[TOGETHER_COUNT][PH_INSTANCE_SOCKET_MAX];
    struct ph_http_request requests[TOGETHER_COUNT];
    struct ph_http_answer answers[TOGETHER_COUNT];
};

static void ask_together(struct questions *questions, struct ph_instance *instances, size_t count, long timeout_ms)
{
    for (size_t i = 0; i < count; i++) {
        ph_instance_socket(instances[i].pid, questions->names[i]);
        questions->requests[i] = (struct ph_http_request){
            .url = "http://localhost/debug/processes?format=json",
            .abstract_socket = questions->names[i],
            .timeout_ms = timeout_ms,
            .limit_bytes = ANSWER_LIMIT_BYTES,
        };
    }
    ph_http_get(questions->requests, count, questions->answers);
    for (size_t i = 0; i < count; i++) {
        instances[i].error = questions->answers[i].error;
        if (instances[i].error.code && ph_instance_is_foreign(instances[i].pid))
            ph_error_set(&instances[i].error, -EACCES, "it answers only its own user and root");
        if (instances[i].error.code == 0)
            take_answer(&instances[i], &questions->answers[i].body);
        ph_http_fini(&questions->answers[i]);
    }
}

int ph_instances_ask(const pid_t *pids, size_t count, long timeout_ms, struct ph_instance *ret_instances)
{
    struct questions *questions = calloc(1, sizeof(*questions));
    if (!questions)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        ret_instances[i] = (struct ph_instance){.pid = pids[i]};
    for (size_t done = 0; done < count; done += TOGETHER_COUNT)
        ask_together(questions, ret_instances + done, count - done < TOGETHER_COUNT ? count - done : TOGETHER_COUNT,
                     timeout_ms);
    for (size_t i = 0; i < count; i++)
        if (!ret_instances[i].command)
            ret_instances[i].command = command_of(pids[i]);
    free(questions);
    return 0;
}

void ph_instance_fini(struct ph_instance *instance)
{
    free(instance->url);
    free(instance->command);
}
