#include "server/pprof_query.h"

#include "base/scan.h"

#include <errno.h>

/* Texts and order of the checks: serveDeltaProfile() in Go's net/http/pprof/pprof.go. */
static bool read_seconds(const struct ph_request *request, struct ph_reply *reply, const char *text,
                         unsigned *ret_seconds)
{
    uint64_t seconds;
    int status = ph_parse_count(text[0] == '+' ? text + 1 : text, PH_SECONDS_MAX, &seconds);
    if (status == -EINVAL || (status == 0 && seconds == 0)) {
        ph_reply_error(request, reply, 400, "invalid value for \"seconds\" - must be a positive integer");
        return false;
    }
    if (status == -ERANGE) {
        ph_reply_error(request, reply, 400, "invalid value for \"seconds\" - must be at most %d", PH_SECONDS_MAX);
        return false;
    }
    *ret_seconds = (unsigned)seconds;
    return true;
}

bool ph_pprof_query_read(const struct ph_request *request, struct ph_reply *reply, struct ph_pprof_query *ret_query)
{
    char text[24];
    struct ph_pprof_query query = {
        .debug = ph_query_number(request->query, "debug") != 0,
        .gc = ph_query_number(request->query, "gc") > 0,
    };
    bool has_seconds = ph_query_text(request->query, "seconds", text, sizeof(text)) && text[0];
    if (has_seconds && !read_seconds(request, reply, text, &query.seconds))
        return false;
    if (has_seconds && query.debug) {
        ph_reply_error(request, reply, 400, "seconds and debug params are incompatible");
        return false;
    }
    *ret_query = query;
    return true;
}
