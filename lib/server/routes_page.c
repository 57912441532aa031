/* routes_page.c - /debug/, the page a person opens at 3 a.m., and the ways that lead there. */
#include "base/human.h"
#include "server/commands.h"
#include "server/facts.h"
#include "server/html.h"
#include "server/members_html.h"
#include "server/profile_list.h"
#include "server/router.h"

#include <stdio.h>
#include <string.h>

#define ROWS_MAX 50 /* of the table of processes; /debug/processes has them all */

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
        ph_buf_printf(out, "<tr><td><a href=\"%s%s\"><code>%s</code></a><td>", routes[i].path,
                      ph_profile_is_lasting(&routes[i]) ? "?seconds=10" : "", routes[i].path);
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

/* What cannot be read is left out: the profiles below still work. */
static void add_facts(const struct ph_facts *facts, struct ph_buf *out)
{
    ph_buf_text(out, "<dl class=facts>\n");
    begin_fact(out, "PID");
    ph_buf_printf(out, "%d", (int)facts->self.pid);
    end_fact(out);
    if (facts->amiss.proc.code == 0) {
        begin_fact(out, "Running for");
        ph_buf_text(out, ph_human_duration(facts->self.uptime_seconds).text);
        end_fact(out);
        add_bytes_fact(out, "Resident memory", facts->self.rss_bytes);
    }
    if (facts->heap.allocated_bytes)
        add_bytes_fact(out, "In use by malloc", facts->heap.allocated_bytes);
    begin_fact(out, "Threads");
    ph_buf_printf(out, "<a href=\"/debug/threads?format=html\">%s</a>",
                  ph_human_count((int64_t)facts->thread_count).text);
    end_fact(out);
    ph_buf_text(out, "</dl>\n");
}

static void add_command_line(struct ph_buf *out)
{
    struct ph_buf command = PH_BUF_INIT;
    if (ph_process_cmdline(' ', &command) == 0 && command.size_bytes) {
        ph_buf_text(out, "<p class=soft><code>");
        ph_buf_html(out, command.data);
        ph_buf_text(out, "</code></p>\n");
    }
    ph_buf_fini(&command);
}

static void add_notice(const struct ph_notice *notice, const struct ph_notice_facts *amiss, struct ph_buf *out)
{
    struct ph_buf what = PH_BUF_INIT, why = PH_BUF_INIT;
    ph_notice_what(notice, amiss, &what);
    ph_notice_why(notice, amiss, &why);
    ph_buf_printf(out, "<li id=notice-%s%s><b>", notice->name, notice->is_latent ? " class=latent" : "");
    ph_buf_html(out, what.data ? what.data : "");
    ph_buf_text(out, ":</b> ");
    ph_buf_html(out, why.data ? why.data : "");
    ph_buf_text(out, ".</li>\n");
    ph_buf_fini(&what);
    ph_buf_fini(&why);
}

static void add_notices(const struct ph_notice_facts *amiss, struct ph_buf *out)
{
    size_t count;
    const struct ph_notice *notices = ph_notices(&count);
    ph_buf_text(out, "<ul class=notices>\n");
    for (size_t i = 0; i < count; i++)
        if (ph_notice_holds(&notices[i], amiss))
            add_notice(&notices[i], amiss, out);
    ph_buf_text(out, "</ul>\n");
}

/* Whose profiles this window shows. */
static void add_scope(const struct ph_request *request, const struct ph_facts *facts, struct ph_buf *out)
{
    const struct ph_listed *self = ph_members_find(&facts->members, facts->self.pid);
    if (self && self->is_front) {
        ph_buf_text(out, "<p>The profiles below are of all of them together, each sample labelled with its "
                         "<code>pid</code>. One of them by itself:</p>\n");
        return;
    }
    ph_buf_printf(out, "<p>The profiles below are of process %d alone; all together are at <code>",
                  (int)facts->self.pid);
    ph_buf_html(out, request->url[0] ? request->url : "the front");
    ph_buf_text(out, "</code>. Another one:</p>\n");
}

/* The last is rather a worker than the process that started them. */
static void add_example(const struct ph_request *request, const struct ph_members *members, struct ph_buf *out)
{
    char target[64];
    struct ph_buf command = PH_BUF_INIT;
    snprintf(target, sizeof(target), "/debug/pprof/heap?pid=%d",
             (int)members->items[members->count - 1].process.pid);
    ph_command_pprof(request, target, "heap.pb.gz", &command);
    if (ph_buf_status(&command) == 0 && command.data)
        ph_html_command(out, command.data);
    ph_buf_fini(&command);
}

static void add_family(const struct ph_request *request, const struct ph_facts *facts, struct ph_buf *out)
{
    const struct ph_members *members = &facts->members;
    if (members->count < 2)
        return;
    ph_buf_printf(out, "<h2>%s processes</h2>\n", ph_human_count((int64_t)members->count).text);
    ph_members_html(members, ROWS_MAX, out);
    if (members->count > ROWS_MAX)
        ph_buf_printf(out,
                      "<p class=soft>and %zu more: <a href=\"/debug/processes?format=html\">all "
                      "processes</a></p>\n",
                      members->count - ROWS_MAX);
    if (facts->heap.unsampled.code == 0) {
        add_scope(request, facts, out);
        add_example(request, members, out);
    }
}

/* Where it is off, a notice says so. */
static void add_sampling(const struct ph_heap_state *heap, struct ph_buf *out)
{
    if (heap->unsampled.code != 0)
        return;
    ph_buf_text(out, "<h2>Heap sampling</h2>\n");
    ph_buf_printf(out,
                  "<p><b class=good>On.</b> One sample for every %s allocated, on average; every number in a "
                  "profile is scaled up to the whole.</p>\n",
                  ph_human_size(heap->sample_bytes).text);
}

static void write_page(const struct ph_request *request, const struct ph_facts *facts, struct ph_buf *out)
{
    const char *name = facts->self.name;
    ph_html_begin(out, name);
    ph_buf_text(out, "<h1>");
    ph_buf_html(out, name);
    ph_buf_text(out, "</h1>\n");
    add_command_line(out);
    add_facts(facts, out);
    add_notices(&facts->amiss, out);
    add_family(request, facts, out);
    add_sampling(&facts->heap, out);
    ph_buf_text(out, "<h2>Profiles</h2>\n");
    ph_profile_list_write(request, NULL, NULL, out);
    ph_buf_text(out, "<h2>More</h2>\n");
    add_links(PH_GROUP_PAGE, out);
    ph_buf_text(out, "<h2>For programs</h2>\n");
    add_links(PH_GROUP_DATA, out);
    ph_buf_text(out, "<h2>Asked for by pprof and jeprof</h2>\n");
    add_links(PH_GROUP_SUPPORT, out);
    ph_html_end(out, request->site->probe->version);
}

void ph_route_page(struct ph_request *request, struct ph_reply *reply)
{
    struct ph_facts facts;
    int status = ph_facts_gather(request->site, &facts);
    if (status < 0) {
        ph_reply_failure(request, reply, status, NULL);
        return;
    }
    ph_reply_begin(reply, PH_TEXT_HTML);
    write_page(request, &facts, &reply->body);
    ph_facts_fini(&facts);
}
