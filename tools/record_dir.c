#include "tools/record_dir.h"

#include "base/clock.h"
#include "model/pprof_write.h"
#include "tools/read_file.h"
#include "tools/replace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_FORMAT     "heap-%04u-%s.pb.gz"
#define LOG_LIMIT_BYTES ((size_t)16 << 20)

static int read_log(struct ph_record_dir *dir, struct ph_error *error)
{
    char *path;
    struct ph_buf text = PH_BUF_INIT;
    struct ph_error cause = {0};
    if (asprintf(&path, "%s/" PH_SERIES_FILE, dir->path) < 0)
        return ph_error_set(error, -ENOMEM, "out of memory");
    int failed = ph_read_file(path, LOG_LIMIT_BYTES, &text, error);
    if (failed == 0) {
        failed = ph_series_log_parse(text.data, text.size_bytes, &dir->log, &cause);
        if (failed)
            ph_error_set(error, failed, "%.100s: %.80s; to begin anew, choose another folder", path, cause.text);
    }
    ph_buf_fini(&text);
    free(path);
    return failed;
}

/* Count the profiles, remember the first. Files that others put there are no concern of ours. */
static int look_around(struct ph_record_dir *dir, struct ph_error *error)
{
    char **paths;
    size_t count;
    struct ph_error cause;
    int failed = ph_series_dir_list(dir->path, &paths, &count, &cause);
    if (failed == -ENOENT)
        return 0;
    if (failed)
        return ph_error_set(error, failed, "%s", cause.text);
    for (size_t i = 0; i < count; i++) {
        if (dir->count++ == 0)
            dir->first_path = strdup(paths[i]);
        dir->last_number = ph_series_number(strrchr(paths[i], '/') + 1); /* they come in order */
    }
    ph_series_dir_free(paths, count);
    return 0;
}

static int lock(struct ph_record_dir *dir, struct ph_error *error)
{
    dir->is_new = mkdir(dir->path, 0777) == 0;
    if (!dir->is_new && errno != EEXIST)
        return ph_error_set(error, -errno, "cannot make the folder %.120s: %m", dir->path);
    dir->lock_fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir->lock_fd < 0)
        return ph_error_set(error, -errno, "cannot open the folder %.120s: %m", dir->path);
    if (flock(dir->lock_fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
        return ph_error_set(error, -EBUSY, "%.120s: another `porthole record` writes into this folder", dir->path);
    return 0; /* a file system without locks is no reason to record nothing */
}

static int read_folder(struct ph_record_dir *dir, struct ph_error *error)
{
    if (faccessat(dir->lock_fd, PH_SERIES_FILE, F_OK, 0) < 0 && errno == ENOENT)
        return ph_series_dir_is_empty(dir->path)
                   ? 0
                   : ph_error_set(error, -EEXIST,
                                  "%.120s holds files, but no " PH_SERIES_FILE ": choose a new folder", dir->path);
    int failed = read_log(dir, error);
    return failed ? failed : look_around(dir, error);
}

int ph_record_dir_open(const char *path, struct ph_record_dir *ret_dir, struct ph_error *error)
{
    struct ph_record_dir dir = {.path = path, .lock_fd = -1, .log = PH_SERIES_LOG_INIT};
    int failed = lock(&dir, error);
    if (failed == 0)
        failed = read_folder(&dir, error);
    if (failed)
        ph_record_dir_close(&dir);
    else
        *ret_dir = dir;
    return failed;
}

void ph_record_dir_close(struct ph_record_dir *dir)
{
    if (dir->is_new && dir->count == 0)
        rmdir(dir->path); /* fails if somebody put something into it */
    if (dir->lock_fd >= 0)
        close(dir->lock_fd);
    dir->lock_fd = -1;
    free(dir->first_path);
    dir->first_path = NULL;
    ph_series_log_fini(&dir->log);
}

void ph_record_dir_describe(struct ph_record_dir *dir, const char *target, int64_t every_ns)
{
    char before[sizeof(dir->log.target)];
    memcpy(before, dir->log.target, sizeof(before));
    snprintf(dir->log.target, sizeof(dir->log.target), "%s", target);
    dir->is_log_stale |= dir->log.every_ns != every_ns || strcmp(before, dir->log.target) != 0;
    dir->log.every_ns = every_ns;
}

static int save_log(struct ph_record_dir *dir, struct ph_error *error)
{
    struct ph_buf text = PH_BUF_INIT;
    int failed = ph_series_log_write(&dir->log, &text);
    failed = failed ? ph_error_set(error, failed, "out of memory")
                    : ph_replace_file(dir->path, PH_SERIES_FILE, text.data, text.size_bytes, error);
    ph_buf_fini(&text);
    return failed;
}

/* The log first: a profile without its row would be taken for one of the process before. */
static int note_origin(struct ph_record_dir *dir, const char *name, const struct ph_origin *origin,
                       struct ph_error *error)
{
    const struct ph_origin *last = ph_series_log_last(&dir->log);
    bool is_new = !last || ph_origin_compare(last, origin) != PH_ORIGIN_SAME;
    if (!is_new)
        ph_series_log_follow(&dir->log, origin);
    if (!is_new && !dir->is_log_stale)
        return 0;
    if (is_new && ph_series_log_add(&dir->log, name, origin) < 0)
        return ph_error_set(error, -ENOMEM, "out of memory");
    int failed = save_log(dir, error);
    if (failed && is_new)
        dir->log.process_count--;
    if (failed == 0)
        dir->is_log_stale = false;
    return failed;
}

static int save_profile(struct ph_record_dir *dir, const struct ph_profile *profile, const char *name,
                        struct ph_error *error)
{
    struct ph_buf bytes = PH_BUF_INIT;
    int failed = ph_pprof_write(profile, &bytes, error);
    if (failed == -ENOMEM)
        ph_error_set(error, failed, "out of memory");
    if (failed == 0)
        failed = ph_replace_file(dir->path, name, bytes.data, bytes.size_bytes, error);
    ph_buf_fini(&bytes);
    return failed;
}

int ph_record_dir_save(struct ph_record_dir *dir, struct ph_profile *profile, const struct ph_origin *origin,
                       char ret_name[64], struct ph_error *error)
{
    if (dir->last_number >= PH_RECORD_MAX)
        return ph_error_set(error, -EFBIG, "%.120s is full: it holds %d profiles", dir->path, PH_RECORD_MAX);
    if (profile->time_ns <= 0)
        profile->time_ns = ph_clock_realtime_ns();
    snprintf(ret_name, 64, NAME_FORMAT, dir->last_number + 1,
             ph_series_time(profile->time_ns, "%Y%m%dT%H%M%SZ").text);
    int failed = note_origin(dir, ret_name, origin, error);
    if (failed == 0)
        failed = save_profile(dir, profile, ret_name, error);
    if (failed)
        return failed;
    dir->last_number++;
    dir->count++;
    return 0;
}
