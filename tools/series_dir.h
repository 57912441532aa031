/* series_dir.h - the profiles in a folder, in order: one that `porthole record` made, or any other. */
#ifndef PH_TOOLS_SERIES_DIR_H
#define PH_TOOLS_SERIES_DIR_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PH_SERIES_FILE "series.json" /* what was recorded, when and from whom: series_log.h */

#define PH_RECORD_MAX 9999 /* profiles: their numbers have four digits, so that names sort everywhere */

/** ph_series_number() - of a profile that `porthole record` names, heap-0001-20261123T121500Z.pb.gz; 0 for another name.
 * @name: without the folder. */
uint32_t ph_series_number(const char *name);

/**
 * ph_series_dir_list() - the profiles in the folder @path, regular files or links to such. Where series.json is, those
 * that `porthole record` names: others belong to people, as a report does. Else all but names that begin with a dot,
 * and those of pages and notes: .html, .htm, .svg, .md, .json.
 * @ret_paths: @path and name, sorted by name with numbers by value (strverscmp(3): heap.9 before heap.10); at least
 *             one. Release them with ph_series_dir_free().
 *
 * 0; -ENOENT for no such folder or no profile in it; -ENOTDIR; -EFBIG for more than 100,000; -ENOMEM; or what else
 * reading it failed with. Each with a sentence in @error that names the folder. One thread at a time.
 */
int ph_series_dir_list(const char *path, char ***ret_paths, size_t *ret_count, struct ph_error *error);
void ph_series_dir_free(char **paths, size_t count);

/** ph_series_dir_is_empty() - is it readable, with no regular file in it but such as begin with a dot? */
bool ph_series_dir_is_empty(const char *path);

#endif
