#include "tools/series_dir.h"

#include "base/scan.h"
#include "model/grow.h"
#include "tools/output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX       100000
#define RECORDED_ENDING ".pb.gz"

/* ---- which files ---- */

uint32_t ph_series_number(const char *name)
{
    size_t length = strlen(name), ending_length = strlen(RECORDED_ENDING);
    struct ph_scan scan = ph_scan_over(name, length);
    uint64_t number;
    if (!ph_scan_text(&scan, "heap-") || !ph_scan_decimal(&scan, &number) || !ph_scan_char(&scan, '-'))
        return 0;
    if (length < ending_length || strcmp(name + length - ending_length, RECORDED_ENDING) != 0)
        return 0;
    return number <= PH_RECORD_MAX ? (uint32_t)number : 0;
}

static bool is_any(const char *name)
{
    return name[0] != '.';
}

static bool is_recorded(const char *name)
{
    return ph_series_number(name) > 0;
}

/* What people put beside profiles: our own reports, too. */
static bool is_no_report(const char *name)
{
    static const char *const endings[] = {".html", ".htm", ".svg", ".md", ".json"};
    bool is_report = false;
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        is_report |= ph_ends_with(name, endings[i]);
    return is_any(name) && !is_report;
}

static bool is_regular(int folder, const char *name)
{
    struct stat status;
    return fstatat(folder, name, &status, 0) == 0 && S_ISREG(status.st_mode);
}

/* ---- the list ---- */

static char *join(const char *folder, const char *name)
{
    char *path;
    size_t length = strlen(folder);
    bool has_slash = length > 0 && folder[length - 1] == '/';
    return asprintf(&path, "%s%s%s", folder, has_slash ? "" : "/", name) < 0 ? NULL : path;
}

struct list {
    char **paths;
    uint32_t count;
};

static int add(const char *folder, const char *name, struct list *list)
{
    if (ph_grow(&list->paths, sizeof(*list->paths), list->count, 1) < 0)
        return -ENOMEM;
    list->paths[list->count] = join(folder, name);
    return list->paths[list->count++] ? 0 : -ENOMEM;
}

/* What was added stays in @list after a failure. */
static int collect(DIR *folder, const char *path, bool (*is_wanted)(const char *name), struct list *list)
{
    struct dirent *entry;
    int failed = 0;
    while (failed == 0 && (errno = 0, entry = readdir(folder)) != NULL) {
        if (!is_wanted(entry->d_name) || !is_regular(dirfd(folder), entry->d_name))
            continue;
        failed = list->count == FILES_MAX ? -EFBIG : add(path, entry->d_name, list);
        errno = 0;
    }
    return failed ? failed : -errno;
}

static int explain(const char *path, int code, struct ph_error *error)
{
    if (code == -ENOMEM)
        return ph_error_set(error, code, "out of memory");
    if (code == -EFBIG)
        return ph_error_set(error, code, "%.120s: more than %d files", path, FILES_MAX);
    return ph_error_set(error, code, "cannot read the folder %.120s: %s", path, strerror(-code));
}

static int compare(const void *a, const void *b)
{
    return strverscmp(*(char *const *)a, *(char *const *)b);
}

int ph_series_dir_list(const char *path, char ***ret_paths, size_t *ret_count, struct ph_error *error)
{
    struct list list = {0};
    DIR *folder = opendir(path);
    if (!folder)
        return explain(path, -errno, error);
    bool has_log = faccessat(dirfd(folder), PH_SERIES_FILE, F_OK, 0) == 0;
    int failed = collect(folder, path, has_log ? is_recorded : is_no_report, &list);
    closedir(folder);
    if (failed)
        explain(path, failed, error);
    else if (list.count == 0)
        failed = ph_error_set(error, -ENOENT, "%.120s: no %s in this folder", path,
                              has_log ? "profile by `porthole record`" : "profile");
    if (failed) {
        ph_series_dir_free(list.paths, list.count);
        return failed;
    }
    qsort(list.paths, list.count, sizeof(*list.paths), compare);
    *ret_paths = list.paths;
    *ret_count = list.count;
    return 0;
}

void ph_series_dir_free(char **paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(paths[i]);
    free(paths);
}

bool ph_series_dir_is_empty(const char *path)
{
    struct list list = {0};
    DIR *folder = opendir(path);
    if (!folder)
        return false;
    int failed = collect(folder, path, is_any, &list);
    closedir(folder);
    ph_series_dir_free(list.paths, list.count);
    return failed == 0 && list.count == 0;
}
