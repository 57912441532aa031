/* routes_profiling.c - profiles over some seconds: of CPU time and of wall time. */
#include "base/clock.h"
#include "collect/cpu.h"
#include "collect/wall.h"
#include "family/family.h"
#include "family/gather.h"
#include "model/cpu_legacy_write.h"
#include "model/maps.h"
#include "server/job.h"
#include "server/pprof_reply.h"
#include "server/profile_counts.h"
#include "server/profiling_query.h"
#include "server/router.h"
#include "server/scope.h"
#include "server/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <sys/param.h>

#define TARGET_MAX_BYTES 64

struct kind {
    int (*collect)(const struct ph_profiling *wish, struct ph_profile **ret_profile, struct ph_error *error);
    enum ph_profile_kind counted_as;
    const char *path; /* where other members are asked */
    void (*reply)(const struct ph_request *request, struct ph_reply *reply, struct ph_profile *profile);
};

struct watch {
    const struct kind *kind;
    const struct ph_request *request;
    struct ph_profiling_query query;
    bool is_bare;
    bool is_taken; /* one runs in this process already */
};

static bool has_left(void *job)
{
    return ph_job_has_left(job);
}

static int collect(struct watch *watch, struct ph_profile **ret_profile, struct ph_error *error)
{
    struct ph_profiling wish = {
        .probe = watch->request->site->probe,
        .seconds = watch->query.seconds,
        .hz = watch->query.hz,
        .bare = watch->is_bare,
        .is_cancelled = has_left,
        .context = watch->request->job,
    };
    int status = watch->kind->collect(&wish, ret_profile, error);
    watch->is_taken = status == -EBUSY;
    if (status == 0)
        ph_profile_counts_add(watch->kind->counted_as);
    return status;
}

/* Waits and samples, which is little work: without a place for work. */
static int collect_aside(struct watch *watch, struct ph_profile **ret_profile, struct ph_error *error)
{
    struct ph_profile *profile = NULL;
    int status = ph_job_pause(watch->request->job);
    if (status < 0)
        return ph_error_set(error, status, "%d clients wait for a profile over seconds already; try again",
                            PH_JOBS_WAITING_MAX);
    status = collect(watch, &profile, error);
    int resumed = ph_job_resume(watch->request->job);
    if (status == 0 && resumed == 0) {
        *ret_profile = profile;
        return 0;
    }
    ph_profile_free(profile);
    return status < 0 ? status : resumed;
}

static int own_part(void *context, struct ph_modules *ret_modules, struct ph_profile **ret_profile,
                    struct ph_error *error)
{
    int status = collect_aside(context, ret_profile, error);
    return status < 0 ? status : ph_snapshot_modules(ret_modules, ret_profile, error);
}

static int collect_family(struct watch *watch, struct ph_profile **ret_profile, struct ph_error *error)
{
    const struct ph_site *site = watch->request->site;
    char target[TARGET_MAX_BYTES];
    struct ph_gathered gathered = {0};
    struct ph_ask_cancel cancel = ph_scope_cancel(watch->request);
    snprintf(target, sizeof(target), "%s?seconds=%u&hz=%u", watch->kind->path, watch->query.seconds,
             watch->query.hz);
    struct ph_gathering gathering = {
        .probe = site->probe,
        .segment = ph_family_segment(site->family),
        .target = target,
        .seconds = watch->query.seconds,
        .own = own_part,
        .context = watch,
        .cancel = &cancel,
    };
    int status = ph_gather(&gathering, &gathered, error);
    if (status < 0)
        return status;
    *ret_profile = gathered.profile;
    gathered.profile = NULL;
    ph_gathered_fini(&gathered);
    return 0;
}

/* When the other one is over, one can be taken: the seconds it has left, rounded up. */
static void refuse(const struct ph_request *request, struct ph_reply *reply, const struct ph_error *error)
{
    int64_t since_ns, until_ns, left_ns = 0;
    if (ph_profiling_state(&since_ns, &until_ns))
        left_ns = until_ns - ph_clock_monotonic_ns();
    ph_reply_error(request, reply, 409, "%s", error->text);
    ph_reply_header(reply, "Retry-After", "%d", (int)MAX(1, (left_ns + PH_NS_PER_S - 1) / PH_NS_PER_S));
}

/* Of a family there are the mappings of all, each at an address of its own. */
static void reply_legacy(const struct ph_request *request, struct ph_reply *reply, struct ph_profile *profile)
{
    ph_maps_part(profile);
    ph_reply_attachment(reply, ph_route_name(request->route), false);
    ph_cpu_legacy_write(profile, &reply->body);
}

static void reply_pprof(const struct ph_request *request, struct ph_reply *reply, struct ph_profile *profile)
{
    ph_pprof_reply(request, reply, profile, false);
}

static void answer(struct watch *watch, enum ph_scope scope, struct ph_reply *reply)
{
    struct ph_error error = {0, ""};
    struct ph_profile *profile = NULL;
    watch->is_bare = scope != PH_SCOPE_PROCESS;
    int status =
        scope == PH_SCOPE_FAMILY ? collect_family(watch, &profile, &error) : collect_aside(watch, &profile, &error);
    if (watch->is_taken)
        refuse(watch->request, reply, &error);
    else if (status < 0)
        ph_reply_failure(watch->request, reply, status, &error);
    else if (scope == PH_SCOPE_BARE)
        ph_pprof_reply_bare(watch->request, reply, profile);
    else
        watch->kind->reply(watch->request, reply, profile);
    ph_profile_free(profile);
}

/* HEAD is answered at once: nobody wants to be watched for the sake of headers. */
static void serve(const struct kind *kind, const struct ph_request *request, struct ph_reply *reply)
{
    struct watch watch = {.kind = kind, .request = request};
    if (!ph_profiling_query_read(request, reply, &watch.query))
        return;
    if (request->method == PH_METHOD_HEAD) {
        if (ph_scope_check(request, reply))
            ph_reply_attachment(reply, ph_route_name(request->route), false);
        return;
    }
    enum ph_scope scope = ph_scope_of(request, reply, watch.query.seconds);
    if (scope == PH_SCOPE_ANSWERED)
        return;
    answer(&watch, scope, reply);
    ph_scope_sign(request, reply);
}

void ph_route_profile(struct ph_request *request, struct ph_reply *reply)
{
    static const struct kind cpu = {ph_cpu_profile, PH_PROFILE_CPU, "/debug/pprof/profile", reply_pprof};
    serve(&cpu, request, reply);
}

void ph_route_profile_legacy(struct ph_request *request, struct ph_reply *reply)
{
    static const struct kind cpu = {ph_cpu_profile, PH_PROFILE_CPU, "/debug/pprof/profile", reply_legacy};
    serve(&cpu, request, reply);
}

void ph_route_wall(struct ph_request *request, struct ph_reply *reply)
{
    static const struct kind wall = {ph_wall_profile, PH_PROFILE_WALL, "/debug/pprof/wall", reply_pprof};
    serve(&wall, request, reply);
}
