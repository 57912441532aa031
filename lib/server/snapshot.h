/*
 * snapshot.h - one profile for a request: of this process or of its family, now or as the change over seconds.
 *
 * The door for every kind of profile: a kind is how to take it of this process, in two forms.
 */
#ifndef PH_SERVER_SNAPSHOT_H
#define PH_SERVER_SNAPSHOT_H

#include "base/error.h"
#include "elf/modules.h"
#include "model/profile.h"
#include "server/pprof_query.h"
#include "server/profile_counts.h"
#include "server/request.h"
#include "server/scope.h"

#include <stdbool.h>

/** Of this process. 0 or a negative errno with @error. */
typedef int ph_collect(const struct ph_request *request, bool gc, struct ph_profile **ret_profile,
                       struct ph_error *error);

/** The same as a part of the family's: without names, origin_pid where memory can be inherited.
 * @ret_modules: to name it by; NULL if another member does. */
typedef int ph_collect_bare(const struct ph_request *request, bool gc, struct ph_modules *ret_modules,
                            struct ph_profile **ret_profile, struct ph_error *error);

struct ph_snapshot_kind {
    ph_collect *collect; /* as a client wants it */
    ph_collect_bare *bare;
    enum ph_profile_kind counted_as;
    unsigned patience_seconds; /* that other members may take; 0: as is usual */
};

/**
 * ph_snapshot() - @scope: PH_SCOPE_PROCESS, or PH_SCOPE_FAMILY (family/gather.h) or PH_SCOPE_BARE.
 * @query: seconds: taken twice, the difference; not in the bare form, which the asking member takes twice itself.
 * @path: the route the other members are asked at. 0; -ECANCELED; -EBUSY; what the kind returns; -ENOMEM.
 */
int ph_snapshot(const struct ph_snapshot_kind *kind, const struct ph_request *request, enum ph_scope scope,
                const struct ph_pprof_query *query, const char *path, struct ph_profile **ret_profile,
                struct ph_error *error);

/** ph_snapshot_modules() - of this process now, for a part of the family's whose collector does not tell; nothing where
 * @ret_modules is NULL. 0, or the errno of reading them, and then @part is released. */
int ph_snapshot_modules(struct ph_modules *ret_modules, struct ph_profile **part, struct ph_error *error);

#endif
