#include "tools/library.h"

#include "base/buf.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY    "libporthole.so"
#define SEPARATORS " :" /* ld.so(8), LD_PRELOAD */

/* From the folder of the command. In a build tree it is tools/, or tools/.libs/ if libtool put a script before it. */
static const char *const relative_folders[] = {
    "/../lib/.libs",
    "/../../lib/.libs",
    "/../lib/x86_64-linux-gnu",
    "/../lib",
};

/* The tidy path of the library in @folder, NULL if it is not there. realpath() of the folder only: the library itself
 * is a link whose name, without a version, is what a user looks for in LD_PRELOAD. */
static char *look_in(const char *folder)
{
    char *path = NULL;
    char *tidy = realpath(folder, NULL);
    if (tidy && asprintf(&path, "%s/" LIBRARY, tidy) >= 0 && access(path, R_OK) < 0) {
        free(path);
        path = NULL;
    }
    free(tidy);
    return path;
}

static char *look_around(const char *executable)
{
    const char *slash = strrchr(executable, '/');
    char *found = NULL;
    for (size_t i = 0; slash && !found && i < sizeof(relative_folders) / sizeof(relative_folders[0]); i++) {
        char *folder;
        if (asprintf(&folder, "%.*s%s", (int)(slash - executable), executable, relative_folders[i]) < 0)
            return NULL;
        found = look_in(folder);
        free(folder);
    }
    return found;
}

int ph_library_find(const char *executable, const char *libdir, char **ret_path, struct ph_error *error)
{
    char *path = look_around(executable);
    if (!path)
        path = look_in(libdir);
    if (!path)
        return ph_error_set(error, -ENOENT,
                            LIBRARY " is neither in %.80s nor beside this command; install Porthole, or build it",
                            libdir);
    if (strpbrk(path, SEPARATORS)) {
        ph_error_set(error, -EINVAL, "LD_PRELOAD cannot name %.120s: move it to a path without blanks and colons",
                     path);
        free(path);
        return -EINVAL;
    }
    *ret_path = path;
    return 0;
}

char *ph_library_preload(const char *library, const char *preload)
{
    struct ph_buf value = PH_BUF_INIT;
    ph_buf_text(&value, library);
    for (const char *next = preload ? preload : ""; *next;) {
        size_t length = strcspn(next, SEPARATORS);
        if (length > 0 && (length != strlen(library) || strncmp(next, library, length) != 0)) {
            ph_buf_char(&value, ':');
            ph_buf_append(&value, next, length);
        }
        next += length + (next[length] != '\0');
    }
    char *taken = ph_buf_take(&value, NULL);
    ph_buf_fini(&value);
    return taken;
}
