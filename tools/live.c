#include "tools/live.h"

#include "base/clock.h"
#include "tools/target_name.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define METRIC             "inuse_space"
#define TIMEOUT_LEAST_MS   10000 /* a dump of 100,000 stacks takes half a second on an idle machine */
#define TIMEOUT_MOST_MS    60000
#define SILENT_TICKS_LEAST 2

void ph_live_start(struct ph_live *live)
{
    live->pace = ph_pace_start(ph_clock_monotonic_ns(), live->every_ns);
}

/* As long as from tick to tick, but a short interval is no reason to give up a slow answer. */
static long timeout_ms(const struct ph_live *live)
{
    int64_t ms = live->every_ns / PH_NS_PER_MS;
    ms = ms < TIMEOUT_LEAST_MS ? TIMEOUT_LEAST_MS : ms > TIMEOUT_MOST_MS ? TIMEOUT_MOST_MS : ms;
    int64_t patience_ms = live->patience_ns / PH_NS_PER_MS;
    return (long)(ms < patience_ms ? ms : patience_ms > 0 ? patience_ms : 1);
}

static int check_type(const struct ph_target *target, const struct ph_profile *profile, struct ph_error *error)
{
    if (ph_profile_find_type(profile, METRIC) >= 0)
        return 0;
    return ph_error_set(error, -EINVAL, "%.90s has no " METRIC ", but %.60s: is it a heap profile?", target->text,
                        profile->type_count ? ph_profile_text(profile, profile->types[0].type) : "nothing");
}

/* "gc=1&pid=7" */
static const char *write_query(const struct ph_live *live, char *ret_query, size_t size_bytes)
{
    bool is_alone = live->target.kind == PH_TARGET_PID && live->has_origin && live->origin.is_member;
    int used = snprintf(ret_query, size_bytes, "%s", live->collect_first ? "gc=1" : "");
    if (is_alone)
        snprintf(ret_query + used, size_bytes - (size_t)used, "%spid=%d", used ? "&" : "", (int)live->target.pid);
    return ret_query;
}

static int read_profile(struct ph_live *live, struct ph_profile **ret_profile, struct ph_origin *ret_origin,
                        struct ph_error *error)
{
    char query[64];
    struct ph_source_options options = {
        .route = "/debug/pprof/heap",
        .query = write_query(live, query, sizeof(query)),
        .token_file = live->token_file,
        .decode = live->decode,
        .timeout_ms = timeout_ms(live),
        .is_given_up = live->is_given_up,
    };
    enum ph_format format;
    struct ph_profile *profile;
    int failed = ph_source_read(&live->target, &options, &format, &profile, error);
    if (failed)
        return failed;
    failed = check_type(&live->target, profile, error);
    if (failed) {
        ph_profile_free(profile);
        return failed;
    }
    ph_origin_of_profile(profile, ret_origin);
    ph_origin_ask(&live->target, &options, ret_origin);
    *ret_profile = profile;
    return 0;
}

/* No answer at all, rather than one that we do not like. */
static bool is_silence(int code)
{
    return code == -ETIMEDOUT || code == -ECONNRESET;
}

/* Has another process of the server taken over? Then it is asked at the next tick. */
static bool find_successor(struct ph_live *live)
{
    struct ph_target found;
    struct ph_error ignored;
    if (!live->target.is_named || ph_target_find(live->target.text, &found, &ignored) < 0 ||
        found.kind != PH_TARGET_PID || found.pid == live->target.pid)
        return false;
    live->target = found;
    return true;
}

static enum ph_live_event note_silence(struct ph_live *live, int64_t asked_ns, int code)
{
    if (code == -ECANCELED)
        return PH_LIVE_GIVEN_UP;
    if (!live->has_answered && !is_silence(code))
        return PH_LIVE_FAILED;
    bool has_ended = live->target.kind == PH_TARGET_PID && (code == -ESRCH || code == -ECONNREFUSED);
    if (has_ended && !find_successor(live))
        return PH_LIVE_GONE; /* what is left of it, if anything, is a zombie or another program */
    if (live->silent_count++ == 0)
        live->silent_since_ns = asked_ns;
    bool is_long = ph_clock_monotonic_ns() - live->silent_since_ns >= live->patience_ns;
    return is_long && live->silent_count >= SILENT_TICKS_LEAST ? PH_LIVE_GONE : PH_LIVE_SILENT;
}

static enum ph_live_event note_origin(struct ph_live *live, const struct ph_origin *origin, struct ph_error *error)
{
    static const enum ph_live_event events[] = {
        [PH_ORIGIN_SAME] = PH_LIVE_PROFILE,
        [PH_ORIGIN_RESTARTED] = PH_LIVE_RESTARTED,
        [PH_ORIGIN_OTHER_PROGRAM] = PH_LIVE_STRANGER,
    };
    enum ph_live_event event =
        live->has_origin ? events[ph_origin_compare(&live->origin, origin)] : PH_LIVE_PROFILE;
    if (event == PH_LIVE_STRANGER) {
        ph_error_set(error, -EEXIST, "%.90s is %.50s, not %.50s", live->target.text, ph_origin_name(origin),
                     ph_origin_name(&live->origin));
        return event;
    }
    if (event != PH_LIVE_PROFILE || origin->pid || !live->has_origin)
        live->origin = *origin; /* else it answered once, but not twice: keep what is known */
    live->has_origin = live->has_answered = true;
    return event;
}

enum ph_live_event ph_live_ask(struct ph_live *live, struct ph_profile **ret_profile, uint32_t *ret_silent_count,
                               struct ph_error *error)
{
    struct ph_origin origin = {0};
    struct ph_profile *profile = NULL;
    int64_t asked_ns = ph_clock_monotonic_ns();
    int failed = read_profile(live, &profile, &origin, error);
    ph_pace_advance(&live->pace, ph_clock_monotonic_ns());
    *ret_silent_count = live->silent_count;
    if (failed)
        return note_silence(live, asked_ns, failed);
    enum ph_live_event event = note_origin(live, &origin, error);
    if (event == PH_LIVE_STRANGER) {
        ph_profile_free(profile);
        return event;
    }
    live->silent_count = 0;
    *ret_profile = profile;
    return event;
}

int64_t ph_live_bytes(const struct ph_profile *profile)
{
    return ph_profile_total(profile, (uint32_t)ph_profile_find_type(profile, METRIC));
}
