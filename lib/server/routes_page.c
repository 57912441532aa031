/* routes_page.c - /debug/, the page a person opens at 3 a.m., and the ways that lead there. */
#include "collect/jemalloc.h"
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
    ph_buf_text(out, "<table>\n");
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
    ph_human_bytes(out, bytes);
    end_fact(out);
}

static size_t read_size(const struct ph_probe *probe, const char *name)
{
    size_t value = 0, size_bytes = sizeof(value);
    return probe->mallctl(name, &value, &size_bytes, NULL, 0) == 0 ? value : 0;
}

/* jemalloc's statistics are those of the last epoch (jemalloc(3), "epoch"). */
static size_t allocated_bytes(const struct ph_probe *probe)
{
    uint64_t epoch = 1;
    size_t size_bytes = sizeof(epoch);
    if (!probe->mallctl)
        return 0;
    probe->mallctl("epoch", &epoch, &size_bytes, &epoch, sizeof(epoch));
    return read_size(probe, "stats.allocated");
}

static void add_facts(const struct ph_probe *probe, const struct ph_process *process, struct ph_buf *out)
{
    size_t allocated = allocated_bytes(probe);
    ph_buf_text(out, "<dl class=facts>\n");
    begin_fact(out, "PID");
    ph_buf_printf(out, "%d", (int)process->pid);
    end_fact(out);
    begin_fact(out, "Running for");
    ph_human_duration(out, process->uptime_seconds);
    end_fact(out);
    add_bytes_fact(out, "Resident memory", process->rss_bytes);
    if (allocated)
        add_bytes_fact(out, "In use by malloc", allocated);
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

static void add_sampling(const struct ph_probe *probe, struct ph_buf *out)
{
    struct ph_error error = {0, ""};
    ph_buf_text(out, "<p>");
    if (ph_jemalloc_samples(probe, &error) == 0) {
        size_t lg_sample = read_size(probe, "prof.lg_sample");
        ph_buf_text(out, "<b class=good>On.</b> One sample for every ");
        ph_human_bytes(out, (uint64_t)1 << (lg_sample & 63));
        ph_buf_text(out, " allocated, on average; every number in a profile is scaled up to the whole.");
    } else {
        ph_buf_text(out, "<b class=bad>No heap profiles:</b> ");
        ph_buf_html(out, error.text);
        ph_buf_char(out, '.');
    }
    ph_buf_text(out, "</p>\n");
}

void ph_route_page(struct ph_request *request, struct ph_reply *reply)
{
    const struct ph_probe *probe = request->site->probe;
    struct ph_process process = {.name = "this process"};
    struct ph_buf *out = &reply->body;
    ph_process_self(&process, NULL); /* what cannot be read is shown empty: the profiles below still work */
    ph_reply_begin(reply, PH_TEXT_HTML);
    ph_html_begin(out, process.name);
    ph_buf_text(out, "<h1>");
    ph_buf_html(out, process.name);
    ph_buf_text(out, "</h1>\n");
    add_command_line(out);
    add_facts(probe, &process, out);
    ph_buf_text(out, "<h2>Heap sampling</h2>\n");
    add_sampling(probe, out);
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
