#include "tools/proc_status.h"

#include "tools/read_file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_BYTES ((size_t)1 << 20)

/* What stands behind "Key:" and blanks at the beginning of a line; NULL if there is no such line. */
static const char *find_value(const char *text, const char *key)
{
    size_t length = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0 && line[length] == ':')
            return line + length + 1 + strspn(line + length + 1, " \t");
    }
    return NULL;
}

void ph_proc_status_parse(const char *text, struct ph_proc_status *ret_status)
{
    const char *name = find_value(text, "Name"), *parent = find_value(text, "PPid"),
               *users = find_value(text, "Uid");
    unsigned user;
    *ret_status = (struct ph_proc_status){.user = (uid_t)-1};
    if (name)
        snprintf(ret_status->name, sizeof(ret_status->name), "%.*s", (int)strcspn(name, "\n"), name);
    long ppid = parent ? strtol(parent, NULL, 10) : 0;
    ret_status->ppid = ppid > 0 && ppid <= INT_MAX ? (pid_t)ppid : 0;
    if (users && sscanf(users, "%*u %u", &user) == 1) /* real, effective, saved, file system */
        ret_status->user = user;
}

int ph_proc_status_read(pid_t pid, struct ph_proc_status *ret_status)
{
    char path[48];
    struct ph_buf text = PH_BUF_INIT;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    int failed = ph_read_file(path, LIMIT_BYTES, &text, NULL);
    ph_proc_status_parse(failed == 0 && text.data ? text.data : "", ret_status);
    ph_buf_fini(&text);
    return failed;
}
