#include "server/pprof_reply.h"

#include "model/pprof_write.h"
#include "server/router.h"

void ph_pprof_reply(const struct ph_request *request, struct ph_reply *reply, const struct ph_profile *profile,
                    bool is_delta)
{
    struct ph_error error = {0, ""};
    ph_reply_attachment(reply, ph_route_name(request->route), is_delta);
    int status = ph_pprof_write(profile, &reply->body, &error);
    if (status < 0)
        ph_reply_failure(request, reply, status, &error);
}

void ph_pprof_reply_bare(const struct ph_request *request, struct ph_reply *reply, const struct ph_profile *profile)
{
    struct ph_error error = {0, ""};
    ph_reply_begin(reply, PH_BINARY);
    int status = ph_pprof_write_bare(profile, &reply->body, &error);
    if (status < 0)
        ph_reply_failure(request, reply, status, &error);
}
