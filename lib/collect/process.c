#include "collect/process.h"

#include "base/clock.h"
#include "base/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <time.h>
#include <unistd.h>

#define FILE_MAX_BYTES ((size_t)4 << 20) /* a command line can have 2 MiB (execve(2), "Limits") */
#define PATH_BYTES     32                /* "/proc/2147483647/cmdline" */

static int read_all(int fd, size_t limit_bytes, struct ph_buf *out)
{
    for (size_t step = 4096; out->size_bytes < limit_bytes; step *= 2) {
        size_t room = MIN(step, limit_bytes - out->size_bytes);
        if (ph_buf_reserve(out, room) < 0)
            return -ENOMEM;
        ssize_t count = read(fd, out->data + out->size_bytes, room);
        if (count < 0 && errno != EINTR)
            return -errno;
        if (count == 0)
            break;
        out->size_bytes += count > 0 ? (size_t)count : 0;
    }
    ph_buf_append(out, "", 0); /* the NUL: read() sets none */
    return ph_buf_status(out);
}

static int read_file(const char *path, size_t limit_bytes, struct ph_buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int status = read_all(fd, limit_bytes, out);
    close(fd);
    return status;
}

/* Fields of proc(5), "/proc/pid/stat", by their number there; the name, field 2, may hold blanks and parentheses. */
enum {
    STAT_STATE = 3,
    STAT_PPID = 4,
    STAT_START_TICKS = 22,
    STAT_RSS_PAGES = 24,
};

static double uptime_seconds(uint64_t start_ticks)
{
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_BOOTTIME, &now);
    double seconds =
        (double)now.tv_sec + (double)now.tv_nsec / PH_NS_PER_S - (double)start_ticks / (double)sysconf(_SC_CLK_TCK);
    return seconds > 0 ? seconds : 0;
}

/* Negative numbers are skipped by their sign: none of the fields asked for can be negative. */
static void set_field(struct ph_process *process, int field, struct ph_scan *scan)
{
    uint64_t value;
    if (field == STAT_STATE && !ph_scan_done(scan))
        process->state = *scan->next;
    if (!ph_scan_decimal(scan, &value))
        return;
    if (field == STAT_PPID)
        process->ppid = (pid_t)value;
    else if (field == STAT_START_TICKS)
        process->start_ticks = value;
    else if (field == STAT_RSS_PAGES)
        process->rss_bytes = value * (uint64_t)sysconf(_SC_PAGESIZE);
}

static bool parse_stat(struct ph_process *process, const struct ph_buf *text)
{
    const char *name = text->data ? strchr(text->data, '(') : NULL;
    const char *name_end = name ? strrchr(name, ')') : NULL;
    if (!name_end)
        return false;
    size_t length = (size_t)(name_end - ++name);
    if (length >= sizeof(process->name))
        length = sizeof(process->name) - 1;
    memcpy(process->name, name, length);
    struct ph_scan scan = ph_scan_over(name_end + 1, strlen(name_end + 1));
    for (int field = STAT_STATE; field <= STAT_RSS_PAGES; field++) {
        ph_scan_blanks(&scan);
        if (ph_scan_done(&scan))
            return false;
        set_field(process, field, &scan);
        while (!ph_scan_done(&scan) && *scan.next != ' ')
            scan.next++;
    }
    return true;
}

static int read_stat(pid_t pid, const char *path, struct ph_process *ret_process, struct ph_error *error)
{
    struct ph_buf text = PH_BUF_INIT;
    struct ph_process process = {.pid = pid};
    int status = read_file(path, FILE_MAX_BYTES, &text);
    if (status < 0)
        ph_error_set(error, status, "cannot read %s: %s", path, strerror(-status));
    else if (!parse_stat(&process, &text))
        status = ph_error_set(error, -EIO, "%s is not as proc(5) says", path);
    ph_buf_fini(&text);
    if (status < 0)
        return status;
    process.uptime_seconds = uptime_seconds(process.start_ticks);
    *ret_process = process;
    return 0;
}

/* Not by number: /proc may be that of another pid namespace. */
int ph_process_self(struct ph_process *ret_process, struct ph_error *error)
{
    return read_stat(getpid(), "/proc/self/stat", ret_process, error);
}

/* A container may have the /proc of its host: there, this process has another number, and the numbers of this namespace are
 * those of other processes. */
static bool is_foreign_proc(void)
{
    char text[PATH_BYTES];
    ssize_t length = readlink("/proc/self", text, sizeof(text) - 1);
    if (length < 0)
        return false; /* there is none: reading it will say so */
    text[length] = '\0';
    return strtol(text, NULL, 10) != getpid();
}

int ph_process_read(pid_t pid, struct ph_process *ret_process, struct ph_error *error)
{
    char path[PATH_BYTES];
    if (pid == getpid())
        return ph_process_self(ret_process, error);
    if (is_foreign_proc())
        return ph_error_set(error, -EXDEV, "/proc is that of another pid namespace");
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    return read_stat(pid, path, ret_process, error);
}

static int read_cmdline(const char *path, char separator, size_t limit_bytes, struct ph_buf *out)
{
    struct ph_buf text = PH_BUF_INIT;
    int status = read_file(path, limit_bytes, &text);
    /* Servers that write their title over the arguments leave a tail of NULs. */
    while (status == 0 && text.size_bytes && text.data[text.size_bytes - 1] == '\0')
        text.size_bytes--;
    for (size_t i = 0; i < text.size_bytes; i++)
        if (text.data[i] == '\0')
            text.data[i] = separator;
    if (status == 0)
        ph_buf_append(out, text.data, text.size_bytes);
    ph_buf_fini(&text);
    return status < 0 ? status : ph_buf_status(out);
}

int ph_process_cmdline(char separator, struct ph_buf *out)
{
    return read_cmdline("/proc/self/cmdline", separator, FILE_MAX_BYTES, out);
}

int ph_process_command(pid_t pid, size_t limit_bytes, struct ph_buf *out)
{
    char path[PATH_BYTES] = "/proc/self/cmdline";
    if (pid != getpid() && is_foreign_proc())
        return -EXDEV;
    if (pid != getpid())
        snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
    return read_cmdline(path, ' ', limit_bytes, out);
}
