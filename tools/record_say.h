/* record_say.h - what `porthole record` says: on a terminal a line of progress, else a line for each profile. */
#ifndef PH_TOOLS_RECORD_SAY_H
#define PH_TOOLS_RECORD_SAY_H

#include "tools/live.h"
#include "tools/record_dir.h"

#include <stdbool.h>
#include <stdint.h>

struct ph_record_say {
    const struct ph_record_dir *dir;
    const struct ph_live *live;
    uint64_t count;                  /* profiles in the folder that are the end; 0 if none are */
    int64_t end_ns;                  /* monotonic; INT64_MAX if no time is */
    uint32_t taken_count;            /* profiles by this run */
    int64_t first_bytes, last_bytes; /* in use by the first and the last profile; -1 if unknown */
    bool has_line;                   /* private: the cursor stands behind a line of progress */
};

/** ph_record_say_taken() - one more profile is there. ph_record_say_again(): draw the line of progress again. */
void ph_record_say_taken(struct ph_record_say *say, const char *name);
void ph_record_say_again(struct ph_record_say *say);

/** ph_record_say_error() - one line on stderr. */
void ph_record_say_error(struct ph_record_say *say, const struct ph_error *error);

/** ph_record_say_silent() - no answer at this tick, after @silent_before others; ph_record_say_answers(): again. */
void ph_record_say_silent(struct ph_record_say *say, uint32_t silent_before, const struct ph_error *error);
void ph_record_say_answers(struct ph_record_say *say, uint32_t silent_before);

/** ph_record_say_restart() - it is not the process @before any more, but that of say->live. */
void ph_record_say_restart(struct ph_record_say *say, const struct ph_origin *before);

/** ph_record_say_gone() - @event was the last: there is nobody, or somebody else. */
void ph_record_say_gone(struct ph_record_say *say, enum ph_live_event event, const struct ph_error *error);

/** ph_record_say_end() - what there is now, and what to do with it. */
void ph_record_say_end(struct ph_record_say *say);

#endif
