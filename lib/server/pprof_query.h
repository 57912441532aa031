/* pprof_query.h - the query of a profile route, read as Go's net/http/pprof reads it. Any thread. */
#ifndef PH_SERVER_PPROF_QUERY_H
#define PH_SERVER_PPROF_QUERY_H

#include "server/reply.h"
#include "server/request.h"

#include <stdbool.h>

#define PH_SECONDS_MAX 3600

struct ph_pprof_query {
    unsigned seconds; /* 0: a snapshot; else a delta over so many */
    bool debug;       /* text instead of protobuf */
    bool gc;
};

/** ph_pprof_query_read() - false if the query is refused; the refusal, in Go's words, is in @reply then. */
bool ph_pprof_query_read(const struct ph_request *request, struct ph_reply *reply,
                         struct ph_pprof_query *ret_query);

#endif
