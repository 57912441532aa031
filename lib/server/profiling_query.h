/* profiling_query.h - the query of a profile over seconds. Any thread. */
#ifndef PH_SERVER_PROFILING_QUERY_H
#define PH_SERVER_PROFILING_QUERY_H

#include "server/reply.h"
#include "server/request.h"

#include <stdbool.h>

#define PH_PROFILE_SECONDS_DEFAULT 30 /* as Go */

struct ph_profiling_query {
    unsigned seconds, hz;
};

/** ph_profiling_query_read() - what is missing has its default; false if the query is refused: @reply says what is allowed. */
bool ph_profiling_query_read(const struct ph_request *request, struct ph_reply *reply,
                             struct ph_profiling_query *ret_query);

#endif
