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

int ph_task_switches(pid_t tid, uint64_t *ret_switches)
{
    uint64_t cpu_ns;
    return read_schedstat(tid, &cpu_ns, ret_switches);
}

/* ---- Its state ---- */

/* The name, in parentheses, may hold blanks and parentheses itself. */
static int read_state(pid_t tid, char *ret_state)
{
    char text[TEXT_BYTES];
    ssize_t count = ph_task_file_read(tid, "stat", text, sizeof(text) - 1);
    if (count < 0)
        return (int)count;
    text[count] = '\0';
    const char *name_end = strrchr(text, ')');
    if (!name_end || name_end[1] != ' ' || !name_end[2])
        return -EIO;
    *ret_state = name_end[2];
    return 0;
}

int ph_task_times(pid_t tid, char *ret_state, uint64_t *ret_cpu_ns)
{
    char state;
    uint64_t cpu_ns, switches;
    int result = read_state(tid, &state);
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
    uint64_t switches = 0;
    int result = ph_task_switches(tid, &switches);
    if (result == -ESRCH)
        return result;
    char text[TEXT_BYTES];
    ssize_t count = ph_task_file_read(tid, "syscall", text, sizeof(text));
    if (count < 0)
        return (int)count;
    if (!ph_task_look_parse(text, (size_t)count, ret_look))
        return -EIO;
    ret_look->switches = switches;
    return 0;
}

int ph_task_look_noted(const struct ph_memory *memory, const struct ph_task *task, uint64_t switches,
                       struct ph_task_look *ret_look)
{
    struct ph_task_look look = {.call = -1, .switches = switches};
    char state;
    int result = read_state(task->tid, &state);
    if (result < 0)
        return result;
    look.is_blocked = state != 'R';
    if (look.is_blocked) {
        uint64_t frame[2]; /* the caller's RBP, and where it goes on: probe.h */
        if (!task->wait_frame || !ph_memory_read(memory, task->wait_frame, frame, sizeof(frame)))
            return -EACCES;
        look.is_of_caller = true;
        look.bp = frame[0];
        look.pc = frame[1];
        look.sp = task->wait_frame + sizeof(frame);
    }
    *ret_look = look;
    return 0;
}
