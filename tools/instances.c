#include "tools/instances.h"

#include "base/buf.h"
#include "base/scan.h"
#include "tools/read_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOCKET_PREFIX       "porthole/"
#define LISTENING           0x10000 /* __SO_ACCEPTCON in the column "Flags" */
#define TABLE_LIMIT_BYTES   ((size_t)256 << 20)
#define COMMAND_LIMIT_BYTES ((size_t)4 << 20) /* ARG_MAX is 2 MiB by default */

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

/* In /proc, NULs stand between the arguments. */
char *ph_instance_command(pid_t pid)
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
