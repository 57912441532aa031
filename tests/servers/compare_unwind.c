/*
 * compare_unwind.c - preloaded into any program: takes the stacks of its allocations by ph_unwind() and by libgcc, and
 * compares them. At the end it writes "same SAME, left to libgcc LEFT, different DIFFERENT" to $COMPARE_UNWIND.
 */
#include "probe/unwind.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <unwind.h>

#define FRAMES_MAX 128

extern void *__libc_malloc(size_t size_bytes);
extern void *__libc_calloc(size_t count, size_t size_bytes);
extern void *__libc_realloc(void *memory, size_t size_bytes);

static unsigned long same, left, different; /* atomic */
static __thread int inside __attribute__((tls_model("initial-exec")));

struct walk {
    void *frames[FRAMES_MAX];
    size_t count;
};

static _Unwind_Reason_Code note(struct _Unwind_Context *context, void *argument)
{
    struct walk *walk = argument;
    void *pc = (void *)_Unwind_GetIP(context);
    if (!pc || walk->count == FRAMES_MAX)
        return _URC_END_OF_STACK;
    walk->frames[walk->count++] = pc;
    return _URC_NO_REASON;
}

static void report(const struct walk *ours, const struct walk *theirs)
{
    const char *path = getenv("COMPARE_UNWIND");
    FILE *out = path ? fopen(path, "ae") : NULL;
    for (size_t i = 0; out && (i < ours->count || i < theirs->count); i++)
        fprintf(out, "# %p %p\n", i < ours->count ? ours->frames[i] : NULL,
                i < theirs->count ? theirs->frames[i] : NULL);
    if (out)
        fclose(out);
}

/* The first frame is the call itself, which differs. */
static __attribute__((noinline)) void compare(void)
{
    static __thread struct walk ours __attribute__((tls_model("initial-exec"))),
        theirs __attribute__((tls_model("initial-exec")));
    ours.count = theirs.count = 0;
    bool done = ph_unwind(ours.frames, FRAMES_MAX, 0, 0, &ours.count);
    _Unwind_Backtrace(note, &theirs);
    if (!done)
        __atomic_fetch_add(&left, 1, __ATOMIC_RELAXED);
    else if (ours.count == theirs.count &&
             memcmp(ours.frames + 1, theirs.frames + 1, (ours.count - 1) * sizeof(void *)) == 0)
        __atomic_fetch_add(&same, 1, __ATOMIC_RELAXED);
    else if (__atomic_fetch_add(&different, 1, __ATOMIC_RELAXED) < 3)
        report(&ours, &theirs);
}

static void look(void)
{
    int saved_errno = errno;
    if (inside++ == 0)
        compare();
    inside--;
    errno = saved_errno;
}

void *malloc(size_t size_bytes)
{
    look();
    return __libc_malloc(size_bytes);
}

void *calloc(size_t count, size_t size_bytes)
{
    look();
    return __libc_calloc(count, size_bytes);
}

void *realloc(void *memory, size_t size_bytes)
{
    look();
    return __libc_realloc(memory, size_bytes);
}

/* As in lib/probe/hook_dl.c. */
int dlclose(void *handle)
{
    static int (*real)(void *handle); /* atomic */
    if (!__atomic_load_n(&real, __ATOMIC_RELAXED))
        __atomic_store_n(&real, (int (*)(void *))dlsym(RTLD_NEXT, "dlclose"), __ATOMIC_RELAXED);
    ph_unwind_unload_begin();
    int result = real(handle);
    ph_unwind_unload_end();
    return result;
}

__attribute__((destructor)) static void finish(void)
{
    char line[128];
    const char *path = getenv("COMPARE_UNWIND");
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
    int length =
        snprintf(line, sizeof(line), "same %lu, left to libgcc %lu, different %lu\n", same, left, different);
    if (fd >= 0 && write(fd, line, (size_t)length) == length)
        close(fd);
}
