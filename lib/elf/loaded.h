/*
 * loaded.h - the files that the loader has mapped into this process, by the loader's own list.
 *
 * Much quicker than /proc/self/maps, for which the kernel spells out each mapping with its path; but it knows only what
 * was loaded by dlopen() and with the program, and neither "[vdso]" nor files that have no absolute path. What is not in it
 * is to be looked for in maps (modules.h). Any thread; the loader's list is locked meanwhile, so no fork() may begin.
 */
#ifndef PH_ELF_LOADED_H
#define PH_ELF_LOADED_H

#include "base/arena.h"
#include "elf/ident.h"
#include "elf/memory.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ph_loaded_file {
    const char *path;      /* as the loader found it: with symbolic links; "" for the executable */
    uint64_t start, limit; /* of all its segments */
    uint64_t bias;         /* run-time address minus virtual address */
    uint64_t headers;      /* address of its program headers */
    size_t header_count;
};

struct ph_loaded {
    struct ph_loaded_file *files; /* the executable first */
    size_t count;
    struct ph_arena text;
};

/** ph_loaded_read() - 0 or -ENOMEM. Nothing of the files is read. */
int ph_loaded_read(struct ph_loaded *ret_loaded);
void ph_loaded_fini(struct ph_loaded *loaded);

/* What tells a file, and where its code is: as a line of the maps file says it. */
struct ph_loaded_code {
    uint64_t start, limit, offset;
    char path[PATH_MAX]; /* without symbolic links */
    char build_id[PH_BUILD_ID_TEXT_MAX];
};

/** ph_loaded_tell() - from memory, which may have vanished meanwhile. False if anything cannot be told, or if there is not
 * exactly one executable segment. */
bool ph_loaded_tell(const struct ph_loaded_file *file, const struct ph_memory *memory,
                    struct ph_loaded_code *ret_code);

#endif
