/* routes_index.c - /debug/pprof/: as Go's index, every profile with its count. */
#include "collect/heap.h"
#include "collect/threads.h"
#include "server/html.h"
#include "server/profile_list.h"
#include "server/router.h"

/* -1 for what could not be counted. */
struct counts {
    int64_t heap, threads;
};

/* Go counts the records of its heap profile: stacks. */
static int64_t count_heap(const struct ph_probe *probe)
{
    struct ph_profile *profile = NULL;
    if (ph_heap_collect(probe, false, &profile, NULL) < 0)
        return -1;
    int64_t count = profile->sample_count;
    ph_profile_free(profile);
    return count;
}

static int64_t count_of(const void *context, const struct ph_route *route)
{
    const struct counts *counts = context;
    if (route->handle == ph_route_heap)
        return counts->heap;
    if (route->handle == ph_route_threadcreate || route->handle == ph_route_threads)
        return counts->threads;
    return route->handle == ph_route_empty ? 0 : -1; /* what is yet to be watched has none */
}

void ph_route_index(struct ph_request *request, struct ph_reply *reply)
{
    const struct ph_probe *probe = request->site->probe;
    struct counts counts = {count_heap(probe), (int64_t)ph_threads_count(probe)};
    struct ph_buf *out = &reply->body;
    ph_reply_begin(reply, PH_TEXT_HTML);
    ph_html_begin(out, "/debug/pprof/");
    ph_buf_text(out,
                "<p><a href=\"/debug/\">Porthole</a></p>\n<h1>/debug/pprof/</h1>\n"
                "<p class=soft>Behind each name: how many stacks or threads there are now in this process.</p>\n"
                "<h2>Profiles</h2>\n");
    ph_profile_list_write(request, count_of, &counts, out);
    ph_html_end(out, probe->version);
}
