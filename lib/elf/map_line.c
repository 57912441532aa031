#include "elf/map_line.h"

#include <string.h>
#include <sys/sysmacros.h>

static bool scan_permissions(struct ph_scan *scan, struct ph_map_line *line)
{
    if (scan->end - scan->next < 4)
        return false;
    line->readable = scan->next[0] == 'r';
    line->executable = scan->next[2] == 'x';
    scan->next += 4;
    return true;
}

static bool scan_device(struct ph_scan *scan, uint64_t *ret_device)
{
    uint64_t major_number, minor_number;
    if (!ph_scan_hex(scan, &major_number) || !ph_scan_char(scan, ':') || !ph_scan_hex(scan, &minor_number))
        return false;
    *ret_device = makedev((unsigned)major_number, (unsigned)minor_number);
    return true;
}

static void take_path(struct ph_scan *scan, struct ph_map_line *line)
{
    static const char mark[] = " (deleted)";
    const size_t mark_bytes = sizeof(mark) - 1;
    ph_scan_blanks(scan);
    line->path = scan->next;
    line->path_bytes = (size_t)(scan->end - scan->next);
    line->deleted = line->path_bytes > mark_bytes && memcmp(scan->end - mark_bytes, mark, mark_bytes) == 0;
    if (line->deleted)
        line->path_bytes -= mark_bytes;
}

bool ph_map_line_read(struct ph_scan *text, struct ph_map_line *ret_line)
{
    struct ph_scan scan = ph_scan_line(text);
    struct ph_map_line line;
    if (!ph_scan_hex(&scan, &line.start) || !ph_scan_char(&scan, '-') || !ph_scan_hex(&scan, &line.limit) ||
        !ph_scan_char(&scan, ' ') || !scan_permissions(&scan, &line) || !ph_scan_char(&scan, ' ') ||
        !ph_scan_hex(&scan, &line.offset) || !ph_scan_char(&scan, ' ') || !scan_device(&scan, &line.device) ||
        !ph_scan_char(&scan, ' ') || !ph_scan_decimal(&scan, &line.inode))
        return false;
    if (line.start >= line.limit || (!ph_scan_done(&scan) && *scan.next != ' '))
        return false;
    take_path(&scan, &line);
    *ret_line = line;
    return true;
}

/* The kernel escapes line ends in a path and nothing else, not even the backslash (show_map_vma() in
 * fs/proc/task_mmu.c), so a name that really holds "\012" cannot be told from one with a line end. */
const char *ph_map_line_path(struct ph_arena *arena, const struct ph_map_line *line)
{
    char *path = ph_arena_copy(arena, line->path, line->path_bytes);
    char *end = path ? strstr(path, "\\012") : NULL;
    if (!end)
        return path;
    for (const char *from = end; *from; end++) {
        bool escaped = strncmp(from, "\\012", 4) == 0;
        *end = escaped ? '\n' : *from;
        from += escaped ? 4 : 1;
    }
    *end = '\0';
    return path;
}
