/* pprof_reply.h - profiles as answers. Any thread. */
#ifndef PH_SERVER_PPROF_REPLY_H
#define PH_SERVER_PPROF_REPLY_H

#include "model/profile.h"
#include "server/reply.h"
#include "server/request.h"

#include <stdbool.h>

/** ph_pprof_reply() - gzipped protobuf, with a file name after the route. A profile that cannot be written is an error. */
void ph_pprof_reply(const struct ph_request *request, struct ph_reply *reply, const struct ph_profile *profile,
                    bool is_delta);

/** ph_pprof_reply_bare() - without gzip, for another member of the family. */
void ph_pprof_reply_bare(const struct ph_request *request, struct ph_reply *reply,
                         const struct ph_profile *profile);

#endif
