/*
 * allocator_dump.c - what jemalloc puts into a heap dump, and what ours can do without.
 *
 * Issue: at the end of a dump jemalloc copies /proc/PID/maps, which takes longer than all the rest where the heap is small and
 * the libraries are many; the agent knows a quicker way, or reads that file anyway.
 * Solution: on our threads there is no such file. The linker sends jemalloc's open() here (--wrap); without the file the dump
 * ends behind its last stack. The host's own dumps, on its own threads, are whole.
 * Source: jemalloc 5.3.0, src/prof_sys.c, prof_dump_maps().
 */
#include "probe/guard.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/types.h>

/* Makefile.am names it to the linker. */
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

static bool is_maps(const char *path)
{
    static const char folder[] = "/proc/", name[] = "/maps";
    size_t length = strlen(path);
    return length > sizeof(folder) + sizeof(name) && strncmp(path, folder, sizeof(folder) - 1) == 0 &&
           strcmp(path + length + 1 - sizeof(name), name) == 0;
}

int __wrap_open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if (flags & (O_CREAT | __O_TMPFILE)) {
        va_list args;
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }
    if (ph_on_own_thread() && is_maps(path)) {
        errno = ENOENT;
        return -1;
    }
    return __real_open(path, flags, mode);
}
