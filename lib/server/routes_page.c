/* routes_page.c - /debug/, the page a person opens at 3 a.m., and the ways that lead there. */
#include "base/human.h"
#include "collect/heap.h"
#include "collect/process.h"
#include "server/html.h"
#include "server/profile_list.h"
#include "server/router.h"

#include <string.h>

void ph_route_redirect(struct ph_request *request, struct ph_reply *reply)
{
    bool to_profiles = strcmp(request->path, "/debug/pprof") == 0;
    ph_reply_redirect(reply, to_profiles ? "/debug/pprof/" : "/debug/");
}

static void add_links(enum ph_route_group group, struct ph_buf *out)
{
    size_t count;
    const struct ph_route *routes = ph_routes(&count);
    ph_buf_text(out, "<table class=links>\n");
    for (size_t i = 0; i < count; i++) {
        if (routes[i].group != group)
            continue;
        ph_buf_printf(out, "<tr><td><a href=\"%s\"><code>%s</code></a><td>", routes[i].path, routes[i].path);
        ph_buf_html(out, routes[i].summary);
        ph_buf_text(out, "</tr>\n");
    }
    ph_buf_text(out, "</table>\n");
}

static void begin_fact(struct ph_buf *out, const char *name)
{
    ph_buf_printf(out, "<div><dt>%s</dt><dd>", name);
}

static void end_fact(struct ph_buf *out)
{
    ph_buf_text(out, "</dd></div>\n");
}

static void add_bytes_fact(struct ph_buf *out, const char *name, uint64_t bytes)
{
    begin_fact(out, name);
    ph_buf_text(out, ph_human_bytes((int64_t)bytes).text);
    end_fact(out);
}

static void add_facts(const struct ph_heap_state *heap, const struct ph_process *process, struct ph_buf *out)
{
    ph_buf_text(out, "<dl class=facts>\n");
    begin_fact(out, "PID");
    ph_buf_printf(out, "%d", (int)process->pid);
    end_fact(out);
    begin_fact(out, "Running for");
    ph_buf_text(out, ph_human_duration(process->uptime_seconds).text);
    end_fact(out);
    add_bytes_fact(out, "Resident memory", process->rss_bytes);
    if (heap->allocated_bytes)
        add_bytes_fact(out, "In use by malloc", heap->allocated_bytes);
    ph_buf_text(out, "</dl>\n");
}

static void add_command_line(struct ph_buf *out)
{
    struct ph_buf command = PH_BUF_INIT;
    if (ph_process_cmdline(' ', &command) == 0 && command.data) {
        ph_buf_text(out, "<p class=soft><code>");
        ph_buf_html(out, command.data);
        ph_buf_text(out, "</code></p>\n");
    }
    ph_buf_fini(&command);
}

static void add_sampling(const struct ph_heap_state *heap, struct ph_buf *out)
{
    ph_buf_text(out, "<p>");
    if (heap->unsampled.code == 0) {
        ph_buf_printf(out,
                      "<b class=good>On.</b> One sample for every %s allocated, on average; every number in a "
                      "profile is scaled up to the whole.",
                      ph_human_size(heap->sample_bytes).text);
    } else {
        ph_buf_text(out, "<b class=bad>No heap profiles:</b> ");
        ph_buf_html(out, heap->unsampled.text);
        ph_buf_char(out, '.');
    }
    ph_buf_text(out, "</p>\n");
}

void ph_route_page(struct ph_request *request, struct ph_reply *reply)
{
    const struct ph_probe *probe = request->site->probe;
    struct ph_process process = {.name = "this process"};
    struct ph_heap_state heap = ph_heap_state(probe);
    struct ph_buf *out = &reply->body;
    ph_process_self(&process, NULL); /* what cannot be read is shown empty: the profiles below still work */
    ph_reply_begin(reply, PH_TEXT_HTML);
    ph_html_begin(out, process.name);
    ph_buf_text(out, "<h1>");
    ph_buf_html(out, process.name);
    ph_buf_text(out, "</h1>\n");
    add_command_line(out);
    add_facts(&heap, &process, out);
    ph_buf_text(out, "<h2>Heap sampling</h2>\n");
    add_sampling(&heap, out);
    ph_buf_text(out, "<h2>Profiles</h2>\n");
    ph_profile_list_write(request, NULL, NULL, out);
    ph_buf_text(out, "<h2>More</h2>\n");
    add_links(PH_GROUP_PAGE, out);
    ph_buf_text(out, "<h2>For programs</h2>\n");
    add_links(PH_GROUP_DATA, out);
    ph_buf_text(out, "<h2>Asked for by pprof and jeprof</h2>\n");
    add_links(PH_GROUP_SUPPORT, out);
    ph_html_end(out, probe->version);
}
