/* program.h - will a program load a library that LD_PRELOAD names? Told from its file, before it is started. */
#ifndef PH_TOOLS_PROGRAM_H
#define PH_TOOLS_PROGRAM_H

#include "base/error.h"

#include <stddef.h>

/**
 * ph_program_find() - the file that execvp(@name) would run, by $PATH; free() it. NULL with errno.
 */
char *ph_program_find(const char *name);

/**
 * ph_program_check() - 0 if the program at @path loads preloaded libraries, as far as its file tells.
 *
 * Else -ENOEXEC, and @error says why not: it is statically linked, for another machine or C library, or runs with
 * raised privileges (AT_SECURE, ld.so(8)). Of a script the interpreter is looked at. A file that cannot be read passes.
 */
int ph_program_check(const char *path, struct ph_error *error);

/**
 * ph_program_inspect() - the same for the first @size_bytes of a file.
 * @ret_interpreter: PATH_MAX bytes: of a script the program that runs it, else "".
 */
int ph_program_inspect(const unsigned char *bytes, size_t size_bytes, char *ret_interpreter,
                       struct ph_error *error);

#endif
