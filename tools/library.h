/* library.h - where libporthole.so is: beside this command in a build tree, else where it was installed. */
#ifndef PH_TOOLS_LIBRARY_H
#define PH_TOOLS_LIBRARY_H

#include "base/error.h"

/**
 * ph_library_find() - the path of libporthole.so; free() it.
 * @executable: the path of this command; @libdir: where the library was configured to go.
 * 0; -ENOENT with where it was looked for in @error; -EINVAL if LD_PRELOAD cannot name it: there blanks and colons
 * separate; -ENOMEM.
 */
int ph_library_find(const char *executable, const char *libdir, char **ret_path, struct ph_error *error);

/** ph_library_preload() - a new value for LD_PRELOAD: @library, then what @preload (NULL for none) names already.
 * @library is named once. NULL if memory is out. */
char *ph_library_preload(const char *library, const char *preload);

#endif
