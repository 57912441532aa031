/* look.c - what the kernel says of one thread (tasks.h): /proc/PID/task/TID/{syscall,schedstat,stat}. */
#include "task/tasks.h"

#include "base/scan.h"
#include "task/task_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define TEXT_BYTES 512 /* all but the longest stat, of which only the begin is read */

/* ---- How often it ran, and how long ---- */

/* proc(5): "time spent on the CPU, time spent waiting on a run queue, number of time slices run". */
static int read_schedstat(int fd, uint64_t *ret_cpu_ns, uint64_t *ret_switches)
{
    char text[TEXT_BYTES];
    ssize_t count = ph_task_file_reread(fd, text, sizeof(text));
    if (count < 0)
        return (int)count;
    struct ph_scan scan = ph_scan_over(text, (size_t)count);
    uint64_t values[3];
    for (int i = 0; i < 3; i++) {
        ph_scan_blanks(&scan);
        if (!ph_scan_decimal(&scan, &values[i]))
            return -EIO;
    }
    *ret_cpu_ns = values[0];
    *ret_switches = values[2];
    return 0;
}

/* All 0 on a kernel without schedstat, or one that does not count. */
static int open_schedstat(int folder, pid_t tid, struct ph_task_look *look)
{
    int fd = ph_task_file_open(folder, tid, "schedstat");
    int result = fd < 0 ? fd : read_schedstat(fd, &look->cpu_ns, &look->switches);
    look->switches_fd = fd > 0 ? fd : 0;
    if (fd == 0) /* the host has closed its standard input: never mind */
        close(fd);
    if (result < 0 || !look->switches)
        ph_task_look_done(look);
    return result;
}

void ph_task_look_done(struct ph_task_look *look)
{
    if (look->switches_fd > 0)
        close(look->switches_fd);
    look->switches_fd = 0;
}

/* ---- Its state ---- */

static void copy_name(const char *text, const char *end, char *ret_name)
{
    size_t length = (size_t)(end - text);
    length = length < PH_TASK_NAME_MAX ? length : PH_TASK_NAME_MAX - 1;
    memcpy(ret_name, text, length);
    ret_name[length] = '\0';
}

/* "TID (name) S …"; the name may hold blanks and parentheses itself. */
int ph_task_state(int folder, pid_t tid, char *ret_state, char *ret_name)
{
    char text[TEXT_BYTES];
    ssize_t count = ph_task_file_read(folder, tid, "stat", text, sizeof(text) - 1);
    if (count < 0)
        return (int)count;
    text[count] = '\0';
    const char *name = strchr(text, '('), *name_end = strrchr(text, ')');
    if (!name || !name_end || name_end[1] != ' ' || !name_end[2])
        return -EIO;
    if (ret_name)
        copy_name(name + 1, name_end, ret_name);
    *ret_state = name_end[2];
    return 0;
}

int ph_task_times(int folder, pid_t tid, char *ret_state, uint64_t *ret_cpu_ns)
{
    char state;
    struct ph_task_look look = {.call = -1};
    int result = ph_task_state(folder, tid, &state, NULL);
    if (result < 0)
        return result;
    open_schedstat(folder, tid, &look);
    ph_task_look_done(&look);
    *ret_state = state;
    *ret_cpu_ns = look.cpu_ns;
    return 0;
}

/* ---- Where it is blocked ---- */

static bool scan_address(struct ph_scan *scan, uint64_t *ret_value)
{
    ph_scan_blanks(scan);
    return ph_scan_text(scan, "0x") && ph_scan_hex(scan, ret_value);
}

/* proc(5): "running"; "-1 SP PC" where it is in no system call; "NUMBER six arguments SP PC". */
bool ph_task_look_parse(const char *text, size_t size_bytes, struct ph_task_look *ret_look)
{
    struct ph_scan scan = ph_scan_over(text, size_bytes);
    struct ph_task_look look = {.call = -1};
    uint64_t call;
    if (ph_scan_text(&scan, "running")) {
        *ret_look = look;
        return true;
    }
    look.is_blocked = true;
    if (ph_scan_decimal(&scan, &call)) {
        look.call = (long)call;
        for (int i = 0; i < 6; i++)
            if (!scan_address(&scan, &look.arguments[i]))
                return false;
    } else if (!ph_scan_text(&scan, "-1")) {
        return false;
    }
    if (!scan_address(&scan, &look.sp) || !scan_address(&scan, &look.pc))
        return false;
    *ret_look = look;
    return true;
}

static int read_call(int folder, pid_t tid, struct ph_task_look *ret_look)
{
    char text[TEXT_BYTES], state;
    ssize_t count = ph_task_file_read(folder, tid, "syscall", text, sizeof(text));
    if (count == -ESRCH && ph_task_state(folder, tid, &state, NULL) == 0)
        return -EACCES; /* a kernel without this file, such as gVisor's */
    if (count < 0)
        return (int)count;
    return ph_task_look_parse(text, (size_t)count, ret_look) ? 0 : -EIO;
}

/* The switches come first: if they are the same after the stack was read, it is the stack of these registers. */
int ph_task_look(int folder, pid_t tid, struct ph_task_look *ret_look)
{
    struct ph_task_look switches = {.call = -1}, look;
    char state;
    if (open_schedstat(folder, tid, &switches) == -ESRCH && ph_task_state(folder, tid, &state, NULL) == -ESRCH)
        return -ESRCH;
    int result = read_call(folder, tid, &look);
    if (result < 0 || !look.is_blocked)
        ph_task_look_done(&switches);
    if (result < 0)
        return result;
    look.switches = switches.switches;
    look.cpu_ns = switches.cpu_ns;
    look.switches_fd = switches.switches_fd;
    *ret_look = look;
    return 0;
}

int ph_task_look_light(int folder, pid_t tid, struct ph_task_look *ret_look)
{
    struct ph_task_look look = {.call = -1};
    char state;
    open_schedstat(folder, tid, &look);
    int result = ph_task_state(folder, tid, &state, NULL);
    look.is_blocked = result == 0 && state != 'R';
    if (!look.is_blocked)
        ph_task_look_done(&look);
    if (result == 0)
        *ret_look = look;
    return result;
}

bool ph_task_look_noted(const struct ph_memory *memory, const struct ph_task *task, struct ph_task_look *look)
{
    uint64_t frame[2]; /* the caller's frame pointer, and where it goes on: probe.h */
    if (!look->is_blocked || !look->switches || !task->waits_since_ns ||
        !ph_memory_read(memory, task->wait_frame, frame, sizeof(frame)))
        return false;
    look->is_of_caller = true;
    look->bp = frame[0];
    look->pc = frame[1];
    look->sp = task->wait_frame + sizeof(frame);
    return true;
}

static int read_again(int folder, pid_t tid, const struct ph_task_look *look, struct ph_task_look *again)
{
    if (look->switches_fd)
        return read_schedstat(look->switches_fd, &again->cpu_ns, &again->switches);
    int result = look->switches ? open_schedstat(folder, tid, again) : ph_task_look(folder, tid, again);
    ph_task_look_done(again);
    return result;
}

/* Its switches tell, as the kernel counts one before the thread runs; where it does not count them, its registers. */
int ph_task_look_again(int folder, pid_t tid, const struct ph_task_look *look)
{
    struct ph_task_look again = *look;
    int result = read_again(folder, tid, look, &again);
    if (result == -EACCES)
        return 0; /* nothing tells */
    if (result < 0)
        return result;
    bool is_same =
        again.is_blocked && again.sp == look->sp && again.pc == look->pc && again.switches == look->switches;
    return is_same ? 0 : -EAGAIN;
}
