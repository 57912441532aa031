/*
 * live.h - a running program asked for its heap profile at every tick, for commands that go on for a while.
 *
 * A process that is one of a family stays that alone, also when it becomes the front. A server named by name is looked for
 * again when the process that was asked has ended: another of its processes may have followed.
 * One that does not answer is asked again at the next tick; only when it is gone, or silent for too long, is that the
 * end. One thread; signals.h is used.
 */
#ifndef PH_TOOLS_LIVE_H
#define PH_TOOLS_LIVE_H

#include "base/error.h"
#include "model/profile.h"
#include "tools/origin.h"
#include "tools/pace.h"
#include "tools/source.h"
#include "tools/target.h"

#include <stdbool.h>
#include <stdint.h>

struct ph_live {
    /* To be set; the rest 0. */
    struct ph_target target; /* no file */
    const char *token_file;  /* NULL: $PORTHOLE_TOKEN_FILE */
    const struct ph_decode_options *decode;
    bool collect_first; /* gc=1 */
    int64_t every_ns;
    int64_t patience_ns;       /* silent for so long, and at two ticks at least: it is taken for gone */
    bool (*is_given_up)(void); /* asked while it waits for an answer */

    struct ph_pace pace;
    struct ph_origin origin; /* of the last profile */
    bool has_origin;         /* to be set, with the origin, to go on after profiles of an earlier run */
    bool has_answered;       /* there was a profile */
    int64_t silent_since_ns; /* the first of the ticks without an answer; 0: it answered */
    uint32_t silent_count;   /* how many ticks that were */
};

enum ph_live_event {
    PH_LIVE_PROFILE,   /* here it is */
    PH_LIVE_RESTARTED, /* here it is, and it is of another process of the same program */
    PH_LIVE_SILENT,    /* no profile this time; the reason is in the error */
    PH_LIVE_FAILED,    /* it answers, but not with a heap profile, or not us: at the first tick that is the end */
    PH_LIVE_GONE,      /* it has ended, or was silent for too long */
    PH_LIVE_STRANGER,  /* another program answers; said in the error */
    PH_LIVE_GIVEN_UP,
};

/** ph_live_start() - the first tick is now. */
void ph_live_start(struct ph_live *live);

/**
 * ph_live_ask() - the tick has come: ask. The next one is then live->pace.due_ns.
 * @ret_profile: for PH_LIVE_PROFILE and PH_LIVE_RESTARTED; free it with ph_profile_free().
 * @ret_silent_count: how many ticks before this one were without an answer.
 */
enum ph_live_event ph_live_ask(struct ph_live *live, struct ph_profile **ret_profile, uint32_t *ret_silent_count,
                               struct ph_error *error);

/** ph_live_bytes() - the bytes in use by a profile that ph_live_ask() returned. */
int64_t ph_live_bytes(const struct ph_profile *profile);

#endif
