/*
 * series_log.h - series.json: what was recorded into a folder, how often, and from which processes of which program.
 *
 *     {"format": 1, "target": "http://127.0.0.1:6060", "program": "/usr/sbin/nginx", "every_seconds": 10,
 *      "processes": [{"first_file": "heap-0001-20261123T121500Z.pb.gz", "pid": 4242,
 *                     "start_time": "2026-11-23T12:00:00Z", "build_id": "0123abcd", "base_address": "0x55d0a1a00000"}]}
 *
 * A second row in "processes" is a break: the program was restarted, or recorded again later. Of a server that forks, a row
 * is its oldest process. What is unknown is left out.
 */
#ifndef PH_TOOLS_SERIES_LOG_H
#define PH_TOOLS_SERIES_LOG_H

#include "base/buf.h"
#include "tools/origin.h"

#include <stdint.h>
#include <time.h>

struct ph_series_process {
    char first_file[64]; /* its first profile */
    struct ph_origin origin;
};

struct ph_series_log {
    char target[PH_ORIGIN_TEXT_MAX]; /* as given on the command line, the last time */
    int64_t every_ns;
    struct ph_series_process *processes; /* in the order of time */
    uint32_t process_count;
};

#define PH_SERIES_LOG_INIT                                                                                         \
    {                                                                                                              \
        .processes = NULL                                                                                          \
    }

void ph_series_log_fini(struct ph_series_log *log);

/** ph_series_log_add() - one more process, copied. 0 or -ENOMEM. */
int ph_series_log_add(struct ph_series_log *log, const char *first_file, const struct ph_origin *origin);

/** ph_series_log_last() - the origin of the last process; NULL if there is none. Valid until the next add. */
const struct ph_origin *ph_series_log_last(const struct ph_series_log *log);

/** ph_series_log_follow() - the last process has gone on as @origin: its family is now that. Not written to the file. */
void ph_series_log_follow(struct ph_series_log *log, const struct ph_origin *origin);

/** ph_series_log_write() - append the file's text. 0 or -ENOMEM. */
int ph_series_log_write(const struct ph_series_log *log, struct ph_buf *out);

/**
 * ph_series_log_parse() - fill @ret_log; release it with ph_series_log_fini().
 * 0; -EINVAL with what was expected in @error, for what is no such file or one of a later format; -ENOMEM.
 */
int ph_series_log_parse(const char *text, size_t size_bytes, struct ph_series_log *ret_log, struct ph_error *error);

/** ph_series_time() - "2026-11-23T12:15:00Z", or by another format of strftime(3), UTC. "" for what is no time. */
struct ph_series_time {
    char text[32];
};
struct ph_series_time ph_series_time(int64_t time_ns, const char *format);
#define PH_SERIES_TIME_FORMAT "%Y-%m-%dT%H:%M:%SZ"

#endif
