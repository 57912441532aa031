#include "server/router.h"

#include <string.h>

enum {
    METHODS_GET = PH_METHOD_GET | PH_METHOD_HEAD,
    METHODS_GET_POST = METHODS_GET | PH_METHOD_POST,
};

static const struct ph_route routes[] = {
#define ROUTE(path, methods, kind, group, handler, parameters, summary)                                            \
    {path, METHODS_##methods, PH_ROUTE_##kind, PH_GROUP_##group, ph_route_##handler, parameters, summary},
#include "server/routes.def"
#undef ROUTE
};

#define ROUTE_COUNT (sizeof(routes) / sizeof(routes[0]))

const struct ph_route *ph_routes(size_t *ret_count)
{
    *ret_count = ROUTE_COUNT;
    return routes;
}

const struct ph_route *ph_route_find(const char *path)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        if (strcmp(routes[i].path, path) == 0)
            return &routes[i];
    return NULL;
}

const char *ph_route_name(const struct ph_route *route)
{
    return strrchr(route->path, '/') + 1;
}

static bool admit_peer(const struct ph_request *request, struct ph_reply *reply)
{
    if (!request->is_refused_peer)
        return true;
    ph_reply_error(request, reply, 403, "only root and the user of this process may ask here");
    return false;
}

static bool admit_host(const struct ph_request *request, struct ph_reply *reply)
{
    if (request->is_local || (request->host[0] == '\0' && !request->is_version_1_1))
        return true;
    if (request->host[0] == '\0') {
        ph_reply_error(request, reply, 400, "HTTP/1.1 requests need a Host header");
        return false;
    }
    if (ph_host_allowed(request->host))
        return true;
    ph_reply_error(
        request, reply, 403,
        "Host \"%.100s\" is neither an IP address nor localhost: refused, as a web page could reach this "
        "process under a name of its own (DNS rebinding); use the address",
        request->host);
    return false;
}

static bool admit_token(const struct ph_request *request, struct ph_reply *reply)
{
    const struct ph_token *token = &request->site->token;
    if (request->is_local || token->size_bytes == 0 || ph_token_matches(token, request->authorization))
        return true;
    ph_reply_error(request, reply, 401,
                   "%s token: send \"Authorization: Bearer TOKEN\" with that of the token file",
                   request->authorization[0] ? "wrong" : "missing");
    ph_reply_header(reply, "WWW-Authenticate", "Bearer realm=\"porthole\"");
    return false;
}

static void refuse_path(const struct ph_request *request, struct ph_reply *reply)
{
    /* Go's text, to the letter: clients compare it. */
    if (strncmp(request->path, "/debug/pprof/", strlen("/debug/pprof/")) == 0)
        ph_reply_error(request, reply, 404, "Unknown profile");
    else
        ph_reply_error(request, reply, 404, "nothing is served at %.100s; /debug/ lists what is", request->path);
}

static void refuse_method(const struct ph_request *request, struct ph_reply *reply)
{
    bool posts = request->route->methods & PH_METHOD_POST;
    const char *allowed = posts ? "GET, HEAD, POST" : "GET, HEAD";
    ph_reply_error(request, reply, 405, "%s takes %s only: nothing here changes the process", request->path,
                   allowed);
    ph_reply_header(reply, "Allow", "%s", allowed);
}

bool ph_router_admit(struct ph_request *request, struct ph_reply *reply)
{
    request->route = ph_route_find(request->path);
    if (!admit_peer(request, reply) || !admit_host(request, reply) || !admit_token(request, reply))
        return false;
    if (!request->route)
        refuse_path(request, reply);
    else if (!(request->route->methods & request->method))
        refuse_method(request, reply);
    else
        return true;
    return false;
}
