/*
 * modules.h - what is mapped into a process: files, segments, build ids.
 *
 * A snapshot of /proc/PID/maps. Build ids come from the mapped ELF notes in memory for our own process, so they are those of the running
 * code even if the file on disk was replaced or deleted. One thread at a time; snapshots are independent.
 */
#ifndef PH_ELF_MODULES_H
#define PH_ELF_MODULES_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "model/profile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One executable mapping. A module (file) can have several. */
struct ph_module {
    uint64_t start, limit, offset; /* as in the maps file: limit exclusive, offset of start in the file */
    uint64_t bias;          /* address - bias = virtual address in the ELF file; 0 if the ELF is unreadable */
    uint64_t head;          /* address of the mapped ELF header; 0: not mapped, or unreadable */
    uint64_t unwind_header; /* address of .eh_frame_hdr; 0: none */
    const char *path;       /* without " (deleted)"; "[vdso]" and the like as they are; "" for anonymous */
    const char *build_id;   /* lower-case hex; "" if there is none */
    uint64_t header_hash;   /* of the ELF header as mapped: tells builds apart if there is no build id; 0: unread */
    uint64_t device, inode; /* as in the maps file and in struct stat; inode 0: no file */
    uint32_t file;          /* equal for the mappings of one file, below ph_modules.file_count */
    bool deleted;           /* the file was unlinked or replaced since it was mapped */
    bool is_main;           /* a segment of the executable */
};

struct ph_modules {
    struct ph_module *modules; /* sorted by start */
    size_t count;
    uint32_t file_count;
    struct ph_arena text;
};

#define PH_MODULES_INIT                                                                                            \
    {                                                                                                              \
        .text = PH_ARENA_INIT                                                                                      \
    }

/** ph_modules_self() - of this process. 0; -errno of reading /proc/self/maps; -ENOMEM. */
int ph_modules_self(struct ph_modules *ret_modules, struct ph_error *error);

/** ph_modules_self_used() - only mappings that begin at one of @starts: the others would cost some system calls each.
 * @text: of the maps file of this process, which was just read. 0; -ENOMEM. */
int ph_modules_self_used(const char *text, size_t size_bytes, const uint64_t *starts, size_t start_count,
                         struct ph_modules *ret_modules, struct ph_error *error);

/** ph_modules_text() - append the maps file of this process to @text. 0; -errno of reading it; -ENOMEM. */
int ph_modules_text(struct ph_buf *text);

/** ph_modules_parse() - from the text of a maps file; build ids are left "" and bias 0. For tests and offline use.
 * Lines that are no mappings are skipped: kernels add kinds. The executable is the first file in the text. */
int ph_modules_parse(const char *text, size_t size_bytes, struct ph_modules *ret_modules, struct ph_error *error);

void ph_modules_fini(struct ph_modules *modules);

/** ph_modules_find() - the module that holds @address, NULL if none. */
const struct ph_module *ph_modules_find(const struct ph_modules *modules, uint64_t address);

/** ph_module_into_profile() - add one as a mapping; its number. */
uint32_t ph_module_into_profile(const struct ph_module *module, struct ph_profile *profile);

/** ph_modules_into_profile() - add every module as a mapping, the main binary first. Mapping n is
 * ret_order[n - 1] (@ret_order: count pointers, may be NULL). Returns the profile's status. */
int ph_modules_into_profile(const struct ph_modules *modules, struct ph_profile *profile,
                            const struct ph_module **ret_order);

#endif
