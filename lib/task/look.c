/* look.c - what the kernel says of one thread (tasks.h): /proc/PID/task/TID/{syscall,schedstat,stat}. */
#include "task/tasks.h"

#include "base/scan.h"
#include "task/task_file.h"

#include <errno.h>
#include <string.h>

#define TEXT_BYTES 512 /* all but the longest stat, of which only the begin is read */

/* ---- How often it ran, and how long ---- */

/* proc(5): "time spent on the CPU, time spent waiting on a run queue, number of time slices run". */
static int read_schedstat(pid_t tid, uint64_t *ret_cpu_ns, uint64_t *ret_switches)
{
    char text[TEXT_BYTES];
    ssize_t count = ph_task_file_read(tid, "schedstat", text, sizeof(text));
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

/* ---- Its state ---- */

static void copy_name(const char *text, const char *end, char *ret_name)
{
    size_t length = (size_t)(end - text);
    length = length < PH_TASK_NAME_MAX ? length : PH_TASK_NAME_MAX - 1;
    memcpy(ret_name, text, length);
    ret_name[length] = '\0';
}

/* "TID (name) S …"; the name may hold blanks and parentheses itself. */
int ph_task_state(pid_t tid, char *ret_state, char *ret_name)
{
    char text[TEXT_BYTES];
    ssize_t count = ph_task_file_read(tid, "stat", text, sizeof(text) - 1);
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

int ph_task_times(pid_t tid, char *ret_state, uint64_t *ret_cpu_ns)
{
    char state;
    uint64_t cpu_ns, switches;
    int result = ph_task_state(tid, &state, NULL);
    if (result < 0)
        return result;
    if (read_schedstat(tid, &cpu_ns, &switches) < 0)
        cpu_ns = 0; /* a kernel without schedstat */
    *ret_state = state;
    *ret_cpu_ns = cpu_ns;
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

/* The switches come first: if they are the same after the stack was read, it is the stack of these registers. */
int ph_task_look(pid_t tid, struct ph_task_look *ret_look)
{
    struct ph_task_look look;
    uint64_t cpu_ns = 0, switches = 0;
    char text[TEXT_BYTES], state;
    if (read_schedstat(tid, &cpu_ns, &switches) == -ESRCH && ph_task_state(tid, &state, NULL) == -ESRCH)
        return -ESRCH;
    ssize_t count = ph_task_file_read(tid, "syscall", text, sizeof(text));
    if (count == -ESRCH && ph_task_state(tid, &state, NULL) == 0)
        return -EACCES; /* a kernel without this file, such as gVisor's */
    if (count < 0)
        return (int)count;
    if (!ph_task_look_parse(text, (size_t)count, &look))
        return -EIO;
    look.switches = switches;
    look.cpu_ns = cpu_ns;
    *ret_look = look;
    return 0;
}

int ph_task_look_light(pid_t tid, struct ph_task_look *ret_look)
{
    struct ph_task_look look = {.call = -1};
    char state;
    if (read_schedstat(tid, &look.cpu_ns, &look.switches) < 0)
        look.cpu_ns = look.switches = 0; /* a kernel without it */
    int result = ph_task_state(tid, &state, NULL);
    if (result < 0)
        return result;
    look.is_blocked = state != 'R';
    *ret_look = look;
    return 0;
}

bool ph_task_look_noted(const struct ph_memory *memory, const struct ph_task *task, struct ph_task_look *look)
{
    uint64_t frame[2]; /* the caller's frame pointer, and where it goes on: probe.h */
    if (!look->is_blocked || !look->switches || !task->wait_frame ||
        !ph_memory_read(memory, task->wait_frame, frame, sizeof(frame)))
        return false;
    look->is_of_caller = true;
    look->bp = frame[0];
    look->pc = frame[1];
    look->sp = task->wait_frame + sizeof(frame);
    return true;
}

/* Its switches tell, as the kernel counts one before the thread runs; where it does not count them, its registers. */
int ph_task_look_again(pid_t tid, const struct ph_task_look *look)
{
    struct ph_task_look again = *look;
    uint64_t cpu_ns;
    int result = look->switches ? read_schedstat(tid, &cpu_ns, &again.switches) : ph_task_look(tid, &again);
    if (result == -EACCES)
        return 0; /* nothing tells */
    if (result < 0)
        return result;
    bool is_same =
        again.is_blocked && again.sp == look->sp && again.pc == look->pc && again.switches == look->switches;
    return is_same ? 0 : -EAGAIN;
}
