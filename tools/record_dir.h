/*
 * record_dir.h - the folder that `porthole record` writes into: heap-0001-20261123T121500Z.pb.gz and so on, and
 * series.json (series_log.h). One writer at a time: it is locked while open.
 */
#ifndef PH_TOOLS_RECORD_DIR_H
#define PH_TOOLS_RECORD_DIR_H

#include "base/error.h"
#include "model/profile.h"
#include "tools/origin.h"
#include "tools/series_dir.h"
#include "tools/series_log.h"

#include <stdbool.h>
#include <stdint.h>

struct ph_record_dir {
    const char *path;
    int lock_fd;
    uint32_t count;       /* profiles in it */
    uint32_t last_number; /* the highest; 0 for none */
    char *first_path;     /* of the first profile; NULL for none */
    struct ph_series_log log;
    bool is_new;       /* made by ph_record_dir_open(); without a profile in it, it goes again when it is closed */
    bool is_log_stale; /* the file tells of another target or interval */
};

/**
 * ph_record_dir_open() - make the folder, or open one to go on with. @path is borrowed.
 *
 * 0; -EBUSY if another record writes into it; -EEXIST if it holds other files; else a negative errno; each with a
 * sentence in @error. Release with ph_record_dir_close().
 */
int ph_record_dir_open(const char *path, struct ph_record_dir *ret_dir, struct ph_error *error);
void ph_record_dir_close(struct ph_record_dir *dir);

/** ph_record_dir_describe() - what is recorded now, for series.json. */
void ph_record_dir_describe(struct ph_record_dir *dir, const char *target, int64_t every_ns);

/**
 * ph_record_dir_save() - write one more profile. Its time is set to now if it has none.
 * @origin: that of the profile; if it is not that of the last one in the log, a new row in series.json comes first.
 * @ret_name: the name of its file.
 *
 * 0; else the folder is as it was before, but for such a row. -EFBIG beyond PH_RECORD_MAX.
 */
int ph_record_dir_save(struct ph_record_dir *dir, struct ph_profile *profile, const struct ph_origin *origin,
                       char ret_name[64], struct ph_error *error);

#endif
