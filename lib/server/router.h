/* router.h - the table of routes.def, and who may pass. Any thread. */
#ifndef PH_SERVER_ROUTER_H
#define PH_SERVER_ROUTER_H

#include "server/reply.h"
#include "server/request.h"

#include <stdbool.h>
#include <stddef.h>

enum ph_route_kind {
    PH_ROUTE_NOW,
    PH_ROUTE_JOB,
};

enum ph_route_group {
    PH_GROUP_PROFILE, /* something pprof opens */
    PH_GROUP_SUPPORT, /* what pprof's and gperftools' clients ask for by themselves */
    PH_GROUP_DATA,    /* for programs */
    PH_GROUP_PAGE,    /* for people */
    PH_GROUP_REDIRECT,
};

typedef void ph_route_handler(struct ph_request *request, struct ph_reply *reply);

struct ph_route {
    const char *path;
    unsigned methods; /* of enum ph_method */
    enum ph_route_kind kind;
    enum ph_route_group group;
    ph_route_handler *handle;
    const char *parameters; /* names, separated by a blank; all are optional */
    const char *summary;
};

/** ph_routes() - all rows, in the order of routes.def. */
const struct ph_route *ph_routes(size_t *ret_count);

/** ph_route_find() - the route of exactly this path; NULL if there is none. */
const struct ph_route *ph_route_find(const char *path);

/** ph_route_name() - the last part of the path: "heap". */
const char *ph_route_name(const struct ph_route *route);

/**
 * ph_router_admit() - find the route and check peer, Host, token and method, in this order.
 * True: request->route may handle it. False: the refusal is in @reply.
 */
bool ph_router_admit(struct ph_request *request, struct ph_reply *reply);

#define ROUTE(path, methods, kind, group, handler, parameters, summary) ph_route_handler ph_route_##handler;
#include "server/routes.def"
#undef ROUTE

#endif
