/* own_code.c - which frame of a stack a reader will recognise; part of diff_words.h. */
#include "model/demangle.h"
#include "tools/diff_words.h"

#include <stdlib.h>
#include <string.h>

/* A stack ends in the allocator, the standard library that called it, and wrappers: malloc() is not to blame. */
static const char *const library_modules[] = {"libc.so",     "libc-",          "libstdc++.so",   "libc++.so",
                                              "libgcc_s.so", "ld-linux",       "ld-musl",        "libjemalloc.so",
                                              "libtcmalloc", "libmimalloc.so", "libporthole.so", "libpthread"};
/* As they stand in symbol tables: demangled, a template begins with its return type. */
static const char *const mangled[] = {"_ZSt", "_ZNSt", "_ZNKSt", "_ZNSa", "_ZN9__gnu_cxx", "_ZNK9__gnu_cxx", "_Zn"};
static const char *const library_names[] = {"std::",       "<std::",       "core::",       "<core::", "alloc::",
                                            "<alloc::",    "hashbrown::",  "<hashbrown::", "__rust_", "__rdl_",
                                            "__gnu_cxx::", "operator new", "runtime.",     "g_new",   "g_slice_"};
static const char *const allocator_words[] = {"malloc", "calloc", "realloc", "memalign"};
static const char *const starts[] = {"_start",
                                     "__libc_start_main",
                                     "__libc_start_call_main",
                                     "start_thread",
                                     "clone",
                                     "clone3",
                                     "__clone3",
                                     "__clone",
                                     "runtime.goexit",
                                     "runtime.main",
                                     "runtime.mstart",
                                     "std::rt::lang_start"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool begins_with_one(const char *text, const char *const *beginnings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strncmp(text, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

static bool is_allocator(const char *name)
{
    size_t length = strcspn(name, "(<+");
    for (size_t i = 0; i < COUNT(allocator_words); i++) {
        const char *found = strcasestr(name, allocator_words[i]);
        if (found && (size_t)(found - name) < length)
            return true;
    }
    return length >= 5 && strncasecmp(name + length - 5, "alloc", 5) == 0;
}

bool ph_diff_is_library(const struct ph_growth_report *report, uint32_t number)
{
    const struct ph_growth_frame *frame = &report->frames[number];
    if (begins_with_one(frame->module, library_modules, COUNT(library_modules)) ||
        begins_with_one(frame->function, mangled, COUNT(mangled)))
        return true;
    char *name = ph_demangle(frame->function);
    bool is = name && (begins_with_one(name, library_names, COUNT(library_names)) || is_allocator(name));
    free(name);
    return is;
}

uint32_t ph_diff_own_frame(const struct ph_growth_report *report, const uint32_t *frames, uint32_t count)
{
    uint32_t i = 0;
    while (i < count && ph_diff_is_library(report, frames[i]))
        i++;
    return i < count && !ph_diff_is_start(report, frames[i]) ? i : 0;
}

bool ph_diff_is_start(const struct ph_growth_report *report, uint32_t frame)
{
    const char *name = report->frames[frame].function;
    for (size_t i = 0; i < COUNT(starts); i++) {
        size_t length = strlen(starts[i]);
        /* glibc's have versions: __libc_start_main@@GLIBC_2.34, __libc_start_main_impl. */
        if (strncmp(name, starts[i], length) == 0 && (name[length] == '\0' || strchr("@_", name[length])))
            return true;
    }
    return false;
}
