/* routes_pprof.c - the profiles below /debug/pprof/. */
#include "base/clock.h"
#include "collect/heap.h"
#include "collect/threads.h"
#include "model/legacy_write.h"
#include "model/maps.h"
#include "server/count_text.h"
#include "server/pprof_query.h"
#include "server/pprof_reply.h"
#include "server/router.h"
#include "server/scope.h"
#include "server/snapshot.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void send_count_text(const struct ph_request *request, struct ph_reply *reply, enum ph_scope scope,
                            const struct ph_profile *profile)
{
    ph_reply_begin(reply, PH_TEXT_PLAIN);
    ph_count_text_write(profile, ph_route_name(request->route), &reply->body);
}

static void send_heap_text(const struct ph_request *request, struct ph_reply *reply, enum ph_scope scope,
                           const struct ph_profile *profile)
{
    ph_reply_begin(reply, PH_TEXT_PLAIN);
    int status = ph_legacy_write(profile, true, &reply->body);
    if (status < 0) {
        ph_reply_failure(request, reply, status, NULL);
        return;
    }
    ph_buf_char(&reply->body, '\n');
    if (scope == PH_SCOPE_FAMILY)
        ph_buf_printf(&reply->body, "# What follows is of process %d alone; the others tell with pid=\n",
                      (int)getpid());
    ph_heap_statistics(request->site->probe, &reply->body);
}

typedef void send_text(const struct ph_request *request, struct ph_reply *reply, enum ph_scope scope,
                       const struct ph_profile *profile);

static void send_profile(send_text *text, const struct ph_request *request, struct ph_reply *reply,
                         enum ph_scope scope, const struct ph_pprof_query *query, struct ph_profile *profile)
{
    if (scope == PH_SCOPE_BARE)
        ph_pprof_reply_bare(request, reply, profile);
    else if (!query->debug)
        ph_pprof_reply(request, reply, profile, query->seconds > 0);
    else {
        ph_maps_part(profile);
        text(request, reply, scope, profile);
    }
}

static void serve(const struct ph_snapshot_kind *kind, send_text *text, const struct ph_request *request,
                  struct ph_reply *reply)
{
    struct ph_pprof_query query;
    struct ph_error error = {0, ""};
    struct ph_profile *profile = NULL;
    if (!ph_pprof_query_read(request, reply, &query))
        return;
    enum ph_scope scope = ph_scope_of(request, reply, query.seconds);
    if (scope == PH_SCOPE_ANSWERED)
        return;
    int status = ph_snapshot(kind, request, scope, &query, request->path, &profile, &error);
    if (status < 0)
        ph_reply_failure(request, reply, status, &error);
    else
        send_profile(text, request, reply, scope, &query, profile);
    ph_scope_sign(request, reply);
    ph_profile_free(profile);
}

/* heap and allocs hold the same samples; they differ in what pprof shows first. */
static int open_as_asked(const struct ph_request *request, int status, struct ph_profile *const *profile)
{
    if (status == 0 && strcmp(ph_route_name(request->route), "allocs") == 0)
        (*profile)->default_type = ph_profile_string(*profile, "alloc_space");
    return status;
}

static int collect_heap(const struct ph_request *request, bool gc, struct ph_profile **ret_profile,
                        struct ph_error *error)
{
    return open_as_asked(request, ph_heap_collect(request->site->probe, gc, ret_profile, error), ret_profile);
}

static int collect_heap_bare(const struct ph_request *request, bool gc, struct ph_modules *ret_modules,
                             struct ph_profile **ret_profile, struct ph_error *error)
{
    return open_as_asked(request, ph_heap_collect_bare(request->site->probe, gc, ret_modules, ret_profile, error),
                         ret_profile);
}

void ph_route_heap(struct ph_request *request, struct ph_reply *reply)
{
    static const struct ph_snapshot_kind heap = {
        .collect = collect_heap, .bare = collect_heap_bare, .counted_as = PH_PROFILE_HEAP};
    serve(&heap, send_heap_text, request, reply);
}

static int collect_threadcreate(const struct ph_request *request, bool gc, struct ph_profile **ret_profile,
                                struct ph_error *error)
{
    return ph_threadcreate_collect(request->site->probe, ret_profile, error);
}

static int collect_threadcreate_bare(const struct ph_request *request, bool gc, struct ph_modules *ret_modules,
                                     struct ph_profile **ret_profile, struct ph_error *error)
{
    return ph_threadcreate_collect_bare(request->site->probe, ret_modules, ret_profile, error);
}

void ph_route_threadcreate(struct ph_request *request, struct ph_reply *reply)
{
    static const struct ph_snapshot_kind threadcreate = {
        .collect = collect_threadcreate, .bare = collect_threadcreate_bare, .counted_as = PH_PROFILE_THREADCREATE};
    serve(&threadcreate, send_count_text, request, reply);
}

/* Go's types and units, to the letter: scrapers make series of these names, and ask for all of them. */
struct empty_kind {
    const char *name;
    const char *types[2][2]; /* type, unit */
    const char *period_type, *period_unit;
    int64_t period;
    const char *text; /* debug=1 */
};

static const struct empty_kind empty_kinds[] = {
    {"block",
     {{"contentions", "count"}, {"delay", "nanoseconds"}},
     "contentions",
     "count",
     1,
     "--- contention:\ncycles/second=1000000000\n"},
    {"mutex",
     {{"contentions", "count"}, {"delay", "nanoseconds"}},
     "contentions",
     "count",
     1,
     "--- mutex:\ncycles/second=1000000000\nsampling period=1\n"},
};

static const struct empty_kind *find_empty(const char *name)
{
    size_t i = 0;
    while (strcmp(empty_kinds[i].name, name) != 0)
        i++;
    return &empty_kinds[i];
}

/* No duration, although some of these are asked for over seconds: nothing was watched. */
static struct ph_profile *new_empty(const struct empty_kind *kind)
{
    struct ph_profile *profile = ph_profile_new();
    if (!profile)
        return NULL;
    for (size_t i = 0; i < 2 && kind->types[i][0]; i++)
        ph_profile_add_type(profile, kind->types[i][0], kind->types[i][1]);
    profile->period_type.type = ph_profile_string(profile, kind->period_type);
    profile->period_type.unit = ph_profile_string(profile, kind->period_unit);
    profile->period = kind->period;
    profile->time_ns = ph_clock_realtime_ns();
    ph_profile_add_comment(profile,
                           "This version of Porthole does not collect this kind yet: the profile is empty");
    return profile;
}

static void send_empty(const struct ph_request *request, struct ph_reply *reply, const struct empty_kind *kind,
                       bool is_delta)
{
    struct ph_profile *profile = new_empty(kind);
    if (profile)
        ph_pprof_reply(request, reply, profile, is_delta);
    else
        ph_reply_failure(request, reply, -ENOMEM, NULL);
    ph_profile_free(profile);
}

void ph_route_empty(struct ph_request *request, struct ph_reply *reply)
{
    const struct empty_kind *kind = find_empty(ph_route_name(request->route));
    struct ph_pprof_query query = {0};
    if (!ph_pprof_query_read(request, reply, &query))
        return;
    if (!ph_scope_check(request, reply))
        return;
    if (!query.debug) {
        send_empty(request, reply, kind, query.seconds > 0);
        return;
    }
    ph_reply_begin(reply, PH_TEXT_PLAIN);
    ph_buf_text(&reply->body, kind->text);
}
