/* series_dir.h - the profiles in a folder, in order: one that `porthole record` made, or any other. */
#ifndef PH_TOOLS_SERIES_DIR_H
#define PH_TOOLS_SERIES_DIR_H

#include "base/error.h"

#include <stddef.h>

#define PH_SERIES_FILE "series.json" /* what was recorded, when and from whom: series_log.h */

/**
 * ph_series_dir_list() - the regular files in the folder @path (links to such count), but for series.json and names
 * that begin with a dot.
 * @ret_paths: @path and name, sorted by name with numbers by value (strverscmp(3): heap.9 before heap.10); at least
 *             one. Release them with ph_series_dir_free().
 *
 * 0; -ENOENT for no such folder or none such file in it; -ENOTDIR; -EFBIG for more than 100,000; -ENOMEM; or what else
 * reading it failed with. Each with a sentence in @error that names the folder. One thread at a time.
 */
int ph_series_dir_list(const char *path, char ***ret_paths, size_t *ret_count, struct ph_error *error);
void ph_series_dir_free(char **paths, size_t count);

#endif
