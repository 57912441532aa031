/* routes_process.c - /debug/processes in three forms, and the contract. */
#include "base/visible.h"
#include "server/format.h"
#include "server/html.h"
#include "server/members.h"
#include "server/members_html.h"
#include "server/openapi.h"
#include "server/router.h"
#include "server/scope.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *role_of(const struct ph_listed *member)
{
    return member->is_front ? "front" : "member";
}

/* By whole numbers: in the locale of the program, printf() may write a comma. */
static void add_seconds(double seconds, struct ph_buf *out)
{
    uint64_t hundredths = (uint64_t)(seconds * 100);
    ph_buf_printf(out, "%" PRIu64 ".%02" PRIu64, hundredths / 100, hundredths % 100);
}

static void add_json(const struct ph_listed *member, struct ph_buf *out)
{
    const struct ph_process *process = &member->process;
    struct ph_buf command = PH_BUF_INIT;
    ph_members_command(member, &command);
    ph_buf_printf(out, "{\"pid\":%d,", (int)process->pid);
    if (!member->is_hidden)
        ph_buf_printf(out, "\"ppid\":%d,", (int)process->ppid);
    ph_buf_printf(out, "\"role\":\"%s\",\"name\":", role_of(member));
    ph_buf_json(out, process->name);
    ph_buf_text(out, ",\"command\":");
    ph_buf_json(out, command.data ? command.data : "");
    ph_buf_printf(out, ",\"state\":\"%s\"", ph_state_word(process->state));
    if (!member->is_hidden) {
        ph_buf_text(out, ",\"uptime_seconds\":");
        add_seconds(process->uptime_seconds, out);
        ph_buf_printf(out, ",\"rss_bytes\":%" PRIu64, process->rss_bytes);
    }
    ph_buf_char(out, '}');
    ph_buf_fini(&command);
}

static void write_json(const struct ph_request *request, const struct ph_members *members, struct ph_buf *out)
{
    ph_buf_text(out, "{\"url\":");
    ph_buf_json(out, request->url);
    ph_buf_text(out, ",\"processes\":[");
    for (size_t i = 0; i < members->count; i++) {
        if (i)
            ph_buf_char(out, ',');
        add_json(&members->items[i], out);
    }
    ph_buf_text(out, "]}\n");
}

/* Fixed columns, so that a person reads and a script cuts; the command last, as it may hold anything. What is not known is a
 * dash. A process may call itself anything, escape sequences too. */
static void add_text(const struct ph_listed *member, struct ph_buf *out)
{
    const struct ph_process *process = &member->process;
    struct ph_buf name = PH_BUF_INIT, command = PH_BUF_INIT;
    char parent[16] = "-", uptime[24] = "-", rss[24] = "-";
    ph_visible(&name, process->name);
    ph_members_command(member, &command);
    if (!member->is_hidden) {
        snprintf(parent, sizeof(parent), "%d", (int)process->ppid);
        snprintf(uptime, sizeof(uptime), "%.0f", process->uptime_seconds);
        snprintf(rss, sizeof(rss), "%" PRIu64, process->rss_bytes);
    }
    ph_buf_printf(out, "%-7d %-7s %-8s %-15s %-15s %14s %14s  ", (int)process->pid, parent, role_of(member),
                  name.data ? name.data : "", ph_state_word(process->state), uptime, rss);
    ph_visible(out, command.data ? command.data : "");
    ph_buf_char(out, '\n');
    ph_buf_fini(&name);
    ph_buf_fini(&command);
}

static void write_text(const struct ph_request *request, const struct ph_members *members, struct ph_buf *out)
{
    ph_buf_printf(out, "%-7s %-7s %-8s %-15s %-15s %14s %14s  %s\n", "PID", "PPID", "ROLE", "NAME", "STATE",
                  "UPTIME_SECONDS", "RSS_BYTES", "COMMAND");
    for (size_t i = 0; i < members->count; i++)
        add_text(&members->items[i], out);
}

static void write_html(const struct ph_request *request, const struct ph_members *members, struct ph_buf *out)
{
    ph_html_begin(out, "Processes");
    ph_buf_text(out, "<p><a href=\"/debug/\">Porthole</a></p>\n<h1>Processes</h1>\n");
    ph_buf_printf(out, "<h2>%zu behind this endpoint</h2>\n", members->count);
    ph_members_html(members, members->count, out);
    ph_html_end(out, request->site->probe->version);
}

typedef void write_members(const struct ph_request *request, const struct ph_members *members, struct ph_buf *out);

static write_members *const writers[] = {
    [PH_FORMAT_JSON] = write_json,
    [PH_FORMAT_TEXT] = write_text,
    [PH_FORMAT_HTML] = write_html,
};

/* Leave only the process that is asked for. False if it has ended since ph_scope_check(). */
static bool choose_member(const struct ph_request *request, struct ph_members *members)
{
    int64_t pid = ph_query_number(request->query, "pid");
    const struct ph_listed *found = pid ? ph_members_find(members, (pid_t)pid) : NULL;
    if (pid == 0)
        return true;
    if (!found)
        return false;
    members->items[0] = *found;
    members->count = 1;
    return true;
}

void ph_route_processes(struct ph_request *request, struct ph_reply *reply)
{
    struct ph_members members;
    int format = ph_format_choose(request, reply);
    if (format < 0 || !ph_scope_check(request, reply))
        return;
    int status = ph_members_read(request->site, &members);
    if (status < 0) {
        ph_reply_failure(request, reply, status, NULL);
        return;
    }
    ph_format_begin(reply, (enum ph_format)format);
    if (choose_member(request, &members))
        writers[format](request, &members, &reply->body);
    else
        ph_reply_error(request, reply, 404, "the process has just ended");
    ph_members_fini(&members);
}

void ph_route_openapi(struct ph_request *request, struct ph_reply *reply)
{
    size_t size_bytes;
    const char *text = ph_openapi_text(&size_bytes);
    ph_reply_begin(reply, "application/yaml"); /* RFC 9512 */
    ph_buf_append(&reply->body, text, size_bytes);
}
