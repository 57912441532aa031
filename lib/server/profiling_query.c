#include "server/profiling_query.h"

#include "base/scan.h"
#include "server/pprof_query.h"
#include "task/profiling.h"

static bool read_number(const struct ph_request *request, struct ph_reply *reply, const char *name, unsigned most,
                        unsigned *number)
{
    char text[24];
    uint64_t value;
    if (!ph_query_text(request->query, name, text, sizeof(text)) || !text[0])
        return true;
    if (ph_parse_count(text, most, &value) < 0 || value == 0) {
        ph_reply_error(request, reply, 400, "invalid value for \"%s\" - must be a number from 1 to %u", name, most);
        return false;
    }
    *number = (unsigned)value;
    return true;
}

bool ph_profiling_query_read(const struct ph_request *request, struct ph_reply *reply,
                             struct ph_profiling_query *ret_query)
{
    struct ph_profiling_query query = {PH_PROFILE_SECONDS_DEFAULT, PH_PROFILE_HZ_DEFAULT};
    if (!read_number(request, reply, "seconds", PH_SECONDS_MAX, &query.seconds) ||
        !read_number(request, reply, "hz", PH_PROFILE_HZ_MAX, &query.hz))
        return false;
    *ret_query = query;
    return true;
}
