/*
 * debug_file.h - the files that tell what the code of a module is called, looked for on this machine. For the tools:
 * the agent has its own code at hand and looks no further than symbols.h.
 *
 * Names of another build are worse than none. A file is used if its build id is that of the module; if the profile
 * tells none, if its inode is that of the module; if it tells neither, if a person named the file or folder.
 * A separate debug file must have the build id of the module, else of the file with the code, else the checksum that
 * this one asks for.
 */
#ifndef PH_ELF_DEBUG_FILE_H
#define PH_ELF_DEBUG_FILE_H

#include "base/error.h"
#include "elf/image.h"

#include <stdbool.h>
#include <stdint.h>

/* Where to look, as a person says it with --binary and --debug-dir. All zero: only where the profile says. */
struct ph_symbol_sources {
    const char *binary;    /* the file of the main program; NULL: where the profile says it was */
    const char *debug_dir; /* a folder with debug files, asked before /usr/lib/debug; NULL for none */
    bool wants_lines; /* also for what has a function but no line, if the build id tells that the file is right */
    void (*warn)(void *context,
                 const char *text); /* one line without a full stop, such as that a file does not match
                                                      the profile and is not used; NULL: nobody wants to know */
    void *context;
};

/** ph_symbol_sources_check() - can they be opened? 0; -errno, said in @error. */
int ph_symbol_sources_check(const struct ph_symbol_sources *sources, struct ph_error *error);

/* A module as the profile tells of it. */
struct ph_wanted_module {
    const char *path;     /* "" if unknown */
    const char *build_id; /* lower-case hex; "" if unknown */
    uint64_t inode;       /* 0: unknown */
    bool is_main;
};

/**
 * ph_binary_judge() - warn if @sources->binary was of no use, so that a person does not take addresses for all it has.
 *
 * @build_id: of the main program, "" if the profile tells none. @wanted_count: its addresses that lacked a name;
 * @named_count: those of them that have one now. Right and with nothing to name is no reason to warn.
 */
void ph_binary_judge(const struct ph_symbol_sources *sources, const char *build_id, size_t wanted_count,
                     size_t named_count);

/* What was found; either may be none. */
struct ph_module_files {
    struct ph_image code;  /* the file with the code; it may have symbols and DWARF, too */
    struct ph_image debug; /* the separate debug file, only if the code has no DWARF */
};

/** ph_module_files_find() - 0, also if nothing was found; -ENOMEM. Close the images with ph_module_files_fini(). */
int ph_module_files_find(const struct ph_symbol_sources *sources, const struct ph_wanted_module *module,
                         struct ph_module_files *ret_files);
void ph_module_files_fini(struct ph_module_files *files);

#endif
