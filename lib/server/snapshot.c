#include "server/snapshot.h"

#include "base/clock.h"
#include "collect/heap.h"
#include "family/family.h"
#include "family/gather.h"
#include "server/job.h"

#include <errno.h>
#include <stdio.h>

#define TARGET_MAX_BYTES 128

struct taking {
    const struct ph_snapshot_kind *kind;
    const struct ph_request *request;
    enum ph_scope scope;
    bool gc;
    const char *path;
};

static int counted(const struct taking *taking, int status)
{
    if (status == 0)
        ph_profile_counts_add(taking->kind->counted_as);
    return status;
}

static int own_part(void *context, struct ph_modules *ret_modules, struct ph_profile **ret_profile,
                    struct ph_error *error)
{
    const struct taking *taking = context;
    return counted(taking, taking->kind->bare(taking->request, taking->gc, ret_modules, ret_profile, error));
}

static int take_family(const struct taking *taking, struct ph_gathered *ret_gathered, struct ph_error *error)
{
    const struct ph_site *site = taking->request->site;
    char target[TARGET_MAX_BYTES];
    struct ph_ask_cancel cancel = ph_scope_cancel(taking->request);
    snprintf(target, sizeof(target), "%s%s", taking->path, taking->gc ? "?gc=1" : "");
    struct ph_gathering gathering = {
        .probe = site->probe,
        .segment = ph_family_segment(site->family),
        .target = target,
        .patience_seconds = taking->kind->patience_seconds,
        .own = own_part,
        .context = (void *)taking,
        .cancel = &cancel,
    };
    return ph_gather(&gathering, ret_gathered, error);
}

static int take(const struct taking *taking, struct ph_gathered *ret_gathered, struct ph_error *error)
{
    if (taking->scope == PH_SCOPE_FAMILY)
        return take_family(taking, ret_gathered, error);
    int status = taking->scope == PH_SCOPE_BARE
                     ? taking->kind->bare(taking->request, taking->gc, NULL, &ret_gathered->profile, error)
                     : taking->kind->collect(taking->request, taking->gc, &ret_gathered->profile, error);
    return counted(taking, status);
}

static int wait_between(const struct ph_request *request, unsigned seconds, struct ph_error *error)
{
    int status = ph_job_wait(request->job, seconds);
    if (status == -EBUSY)
        ph_error_set(error, status, "%d clients wait for a profile over seconds already; try again",
                     PH_JOBS_WAITING_MAX);
    return status;
}

static int take_delta(const struct taking *taking, unsigned seconds, struct ph_profile **ret_profile,
                      struct ph_error *error)
{
    struct ph_gathered earlier = {0}, later = {0};
    int64_t start_ns = ph_clock_monotonic_ns();
    int status = take(taking, &earlier, error);
    if (status == 0)
        status = wait_between(taking->request, seconds, error);
    int64_t duration_ns = ph_clock_monotonic_ns() - start_ns;
    if (status == 0)
        status = take(taking, &later, error);
    if (status == 0) {
        ph_gathered_align(&earlier, &later);
        status = ph_heap_delta(earlier.profile, later.profile, duration_ns, ret_profile, error);
    }
    ph_gathered_fini(&earlier);
    ph_gathered_fini(&later);
    return status;
}

int ph_snapshot(const struct ph_snapshot_kind *kind, const struct ph_request *request, enum ph_scope scope,
                const struct ph_pprof_query *query, const char *path, struct ph_profile **ret_profile,
                struct ph_error *error)
{
    struct taking taking = {kind, request, scope, query->gc, path};
    struct ph_gathered gathered = {0};
    if (query->seconds && scope != PH_SCOPE_BARE)
        return take_delta(&taking, query->seconds, ret_profile, error);
    int status = take(&taking, &gathered, error);
    if (status < 0)
        return status;
    *ret_profile = gathered.profile;
    gathered.profile = NULL;
    ph_gathered_fini(&gathered);
    return 0;
}

int ph_snapshot_modules(struct ph_modules *ret_modules, struct ph_profile **part, struct ph_error *error)
{
    int status = ret_modules ? ph_modules_self(ret_modules, error) : 0;
    if (status == 0)
        return 0;
    ph_profile_free(*part);
    *part = NULL;
    return status;
}
