/* routes_process.c - /debug/processes in three forms, and the contract. */
#include "base/human.h"
#include "base/visible.h"
#include "collect/process.h"
#include "server/html.h"
#include "server/openapi.h"
#include "server/router.h"

#include <inttypes.h>
#include <string.h>

/* proc(5), "/proc/pid/stat", state. */
static const char *state_word(char state)
{
    static const char *const words[128] = {
        ['R'] = "running", ['S'] = "sleeping", ['D'] = "waiting for I/O",
        ['T'] = "stopped", ['t'] = "traced",   ['Z'] = "zombie",
        ['X'] = "dead",    ['I'] = "idle",
    };
    const char *word = words[(unsigned char)state & 127];
    return word ? word : "unknown";
}

struct row {
    struct ph_process process;
    struct ph_buf command;
    const char *role;
};

static void write_json(const struct ph_request *request, const struct row *row, struct ph_reply *reply)
{
    struct ph_buf *out = &reply->body;
    ph_reply_begin(reply, PH_JSON);
    ph_buf_text(out, "{\"url\":");
    ph_buf_json(out, request->site->url);
    ph_buf_printf(out, ",\"processes\":[{\"pid\":%d,\"ppid\":%d,\"role\":\"%s\",\"name\":", (int)row->process.pid,
                  (int)row->process.ppid, row->role);
    ph_buf_json(out, row->process.name);
    ph_buf_text(out, ",\"command\":");
    ph_buf_json(out, row->command.data ? row->command.data : "");
    ph_buf_printf(out, ",\"state\":\"%s\",\"uptime_seconds\":%.2f,\"rss_bytes\":%" PRIu64 "}]}\n",
                  state_word(row->process.state), row->process.uptime_seconds, row->process.rss_bytes);
}

/* Fixed columns, so that a person reads and a script cuts; the command last, as it may hold anything. */
static void write_text(const struct ph_request *request, const struct row *row, struct ph_reply *reply)
{
    struct ph_buf *out = &reply->body;
    ph_reply_begin(reply, PH_TEXT_PLAIN);
    ph_buf_printf(out, "%-7s %-7s %-8s %-15s %-15s %14s %14s  %s\n", "PID", "PPID", "ROLE", "NAME", "STATE",
                  "UPTIME_SECONDS", "RSS_BYTES", "COMMAND");
    struct ph_buf name = PH_BUF_INIT;
    ph_visible(&name, row->process.name); /* a process may call itself anything, escape sequences too */
    ph_buf_printf(out, "%-7d %-7d %-8s %-15s %-15s %14.0f %14" PRIu64 "  ", (int)row->process.pid,
                  (int)row->process.ppid, row->role, name.data ? name.data : "", state_word(row->process.state),
                  row->process.uptime_seconds, row->process.rss_bytes);
    ph_visible(out, row->command.data ? row->command.data : "");
    ph_buf_char(out, '\n');
    ph_buf_fini(&name);
}

static void write_html(const struct ph_request *request, const struct row *row, struct ph_reply *reply)
{
    struct ph_buf *out = &reply->body;
    ph_reply_begin(reply, PH_TEXT_HTML);
    ph_html_begin(out, "Processes");
    ph_buf_text(out, "<p><a href=\"/debug/\">Porthole</a></p>\n<h1>Processes</h1>\n<h2>Behind this endpoint</h2>\n"
                     "<table>\n<tr><th>PID<th>Parent<th>Role<th>Name<th>State<th class=number>Uptime"
                     "<th class=number>Resident</tr>\n");
    ph_buf_printf(out, "<tr><td>%d<td>%d<td>%s<td>", (int)row->process.pid, (int)row->process.ppid, row->role);
    ph_buf_html(out, row->process.name);
    ph_buf_printf(out, "<td>%s<td class=number>", state_word(row->process.state));
    ph_buf_printf(out, "%s<td class=number>%s", ph_human_duration(row->process.uptime_seconds).text,
                  ph_human_bytes((int64_t)row->process.rss_bytes).text);
    ph_buf_text(out, "</tr>\n</table>\n<p class=soft><code>");
    ph_buf_html(out, row->command.data ? row->command.data : "");
    ph_buf_text(out, "</code></p>\n");
    ph_html_end(out, request->site->probe->version);
}

static const struct {
    const char *name, *type;
    void (*write)(const struct ph_request *request, const struct row *row, struct ph_reply *reply);
} formats[] = {
    {"json", PH_JSON, write_json},
    {"text", "text/plain", write_text},
    {"html", "text/html", write_html},
};

#define FORMAT_COUNT ((int)(sizeof(formats) / sizeof(formats[0])))

/* `format` beats Accept; an Accept that allows none of them gets JSON rather than nothing. -1: no such format. */
static int choose_format(const struct ph_request *request)
{
    const char *const types[] = {formats[0].type, formats[1].type, formats[2].type, NULL};
    char name[16];
    if (ph_query_text(request->query, "format", name, sizeof(name)) && name[0]) {
        int i = FORMAT_COUNT - 1;
        while (i >= 0 && strcmp(formats[i].name, name) != 0)
            i--;
        return i;
    }
    int chosen = ph_accept_choose(request->accept, types);
    return chosen < 0 ? 0 : chosen;
}

void ph_route_processes(struct ph_request *request, struct ph_reply *reply)
{
    struct ph_error error = {0, ""};
    struct row row = {.role = "front"};
    int format = choose_format(request);
    if (format < 0) {
        ph_reply_error(request, reply, 400, "unknown format: expected json, text or html");
        return;
    }
    int status = ph_process_self(&row.process, &error);
    if (status == 0) {
        ph_process_cmdline(' ', &row.command); /* a command that cannot be read is shown empty */
        formats[format].write(request, &row, reply);
    } else {
        ph_reply_failure(request, reply, status, &error);
    }
    ph_buf_fini(&row.command);
}

void ph_route_openapi(struct ph_request *request, struct ph_reply *reply)
{
    size_t size_bytes;
    const char *text = ph_openapi_text(&size_bytes);
    ph_reply_begin(reply, "application/yaml"); /* RFC 9512 */
    ph_buf_append(&reply->body, text, size_bytes);
}
