#include "tools/target_name.h"

#include "base/visible.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_MS     1000L
#define COMM_BYTES     15 /* what the kernel keeps of a process name */
#define EXAMPLES_COUNT 8

/* The program's file as the command line has it: "/usr/sbin/nginx -g", "nginx: master process". */
static bool begins_with_program(const char *command, const char *name)
{
    size_t length = strcspn(command, " "), name_length = strlen(name);
    const char *slash = memrchr(command, '/', length);
    const char *base = slash ? slash + 1 : command;
    length -= (size_t)(base - command);
    if (length && base[length - 1] == ':')
        length--;
    return length == name_length && memcmp(base, name, length) == 0;
}

static bool is_called(const struct ph_instance *process, const char *name)
{
    if (process->name && strncmp(process->name, name, COMM_BYTES) == 0 &&
        (strlen(name) > COMM_BYTES || strcmp(process->name, name) == 0))
        return true;
    return process->command && begins_with_program(process->command, name);
}

static bool is_family_called(const struct ph_families *families, size_t first, const char *name)
{
    size_t count = ph_family_count(families, first);
    for (size_t i = first; i < first + count; i++)
        if (is_called(&families->items[i], name))
            return true;
    return false;
}

/* Of processes that do not answer, it is not known which belong together: the parent stands for its children. */
static bool has_parent_called(const struct ph_families *families, const struct ph_instance *silent,
                              const char *name)
{
    for (size_t i = 0; i < families->count && !silent->is_told; i++)
        if (families->items[i].pid == silent->ppid && is_called(&families->items[i], name))
            return true;
    return false;
}

int ph_target_choose(const struct ph_families *families, const char *name, pid_t *ret_pid, struct ph_error *error)
{
    struct ph_buf pids = PH_BUF_INIT;
    size_t found_count = 0;
    pid_t found = 0;
    for (size_t i = 0; i < families->count; i += ph_family_count(families, i)) {
        if (!is_family_called(families, i, name) || has_parent_called(families, &families->items[i], name))
            continue;
        found = families->items[i].pid;
        if (found_count++ < EXAMPLES_COUNT)
            ph_buf_printf(&pids, "%s%d", found_count > 1 ? ", " : "", (int)found);
    }
    int failed = found_count == 1 ? 0 : found_count ? -EEXIST : -ENOENT;
    if (found_count > 1)
        ph_error_set(error, failed, "%zu servers are called %.60s: choose by process id: %s%s", found_count, name,
                     pids.data ? pids.data : "", found_count > EXAMPLES_COUNT ? ", ..." : "");
    else if (failed)
        ph_error_set(error, failed,
                     "%.60s: no such file, and no server with Porthole is called so; `porthole ps` lists them",
                     name);
    else
        *ret_pid = found;
    ph_buf_fini(&pids);
    return failed;
}

static int find_server(struct ph_target *target, struct ph_error *error)
{
    struct ph_families families;
    int failed = ph_families_find(TIMEOUT_MS, &families, error);
    if (failed)
        return failed;
    failed = ph_target_choose(&families, target->text, &target->pid, error);
    ph_families_fini(&families);
    if (failed == 0) {
        target->kind = PH_TARGET_PID;
        target->is_named = true;
    }
    return failed;
}

static bool may_be_server(const struct ph_target *target)
{
    return target->kind == PH_TARGET_FILE && !strchr(target->text, '/');
}

int ph_target_find(const char *text, struct ph_target *ret_target, struct ph_error *error)
{
    struct ph_target target;
    int failed = ph_target_parse(text, &target, error);
    if (failed == 0 && may_be_server(&target) && access(text, F_OK) < 0)
        failed = find_server(&target, error);
    if (failed == -ENOENT && strchr(text, '.'))
        failed = 0; /* "heap.pb.gz": a slip in the name of a file; whoever reads it says that it is not there */
    if (failed == 0)
        *ret_target = target;
    return failed;
}

int ph_target_find_live(const char *text, struct ph_target *ret_target, struct ph_error *error)
{
    struct ph_target target;
    int failed = ph_target_parse(text, &target, error);
    if (failed == 0 && may_be_server(&target))
        failed = find_server(&target, error);
    if (failed == -ENOENT && access(text, F_OK) == 0)
        failed = 0; /* of a file, the caller says that it is none of his */
    if (failed == 0)
        *ret_target = target;
    return failed;
}
