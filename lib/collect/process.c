#include "collect/process.h"

#include "base/clock.h"
#include "base/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FILE_MAX_BYTES ((size_t)4 << 20) /* a command line can have 2 MiB (execve(2), "Limits") */

static int read_all(int fd, struct ph_buf *out)
{
    for (size_t room = 4096; out->size_bytes < FILE_MAX_BYTES; room *= 2) {
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

static int read_file(const char *path, struct ph_buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int status = read_all(fd, out);
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
        process->uptime_seconds = uptime_seconds(value);
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

int ph_process_self(struct ph_process *ret_process, struct ph_error *error)
{
    struct ph_buf text = PH_BUF_INIT;
    struct ph_process process = {.pid = getpid()};
    int status = read_file("/proc/self/stat", &text);
    if (status < 0)
        ph_error_set(error, status, "cannot read /proc/self/stat: %s", strerror(-status));
    else if (!parse_stat(&process, &text))
        status = ph_error_set(error, -EIO, "/proc/self/stat is not as proc(5) says");
    else
        *ret_process = process;
    ph_buf_fini(&text);
    return status;
}

int ph_process_cmdline(char separator, struct ph_buf *out)
{
    struct ph_buf text = PH_BUF_INIT;
    int status = read_file("/proc/self/cmdline", &text);
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
