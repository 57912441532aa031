/*
 * debug_file.h - the files that tell what the code of a module is called, looked for on this machine. For the tools:
 * the agent has its own code at hand and looks no further than symbols.h.
 */
#ifndef PH_ELF_DEBUG_FILE_H
#define PH_ELF_DEBUG_FILE_H

/* Where to look, as a person says it with --binary and --debug-dir. All zero: only where the profile says. */
struct ph_symbol_sources {
    const char *binary;    /* the file of the main program; NULL: where the profile says it was */
    const char *debug_dir; /* a folder with debug files, asked before /usr/lib/debug; NULL for none */
    void (*warn)(void *context,
                 const char *text); /* one line without a full stop, such as that a file does not match
                                                      the profile and is not used; NULL: nobody wants to know */
    void *context;
};

#endif
