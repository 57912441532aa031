#include "server/members_html.h"

#include "base/human.h"

/* proc(5), "/proc/pid/stat", state. */
const char *ph_state_word(char state)
{
    static const char *const words[128] = {
        ['R'] = "running", ['S'] = "sleeping", ['D'] = "waiting for I/O",
        ['T'] = "stopped", ['t'] = "traced",   ['Z'] = "zombie",
        ['X'] = "dead",    ['I'] = "idle",
    };
    const char *word = words[(unsigned char)state & 127];
    return word ? word : "unknown";
}

/* Some programs erase their arguments: then the name in brackets, as ps(1) does. */
static void add_command(const struct ph_listed *member, struct ph_buf *out)
{
    struct ph_buf command = PH_BUF_INIT;
    ph_members_command(member, &command);
    if (command.size_bytes) {
        ph_buf_html(out, command.data);
    } else {
        ph_buf_char(out, '[');
        ph_buf_html(out, member->process.name);
        ph_buf_char(out, ']');
    }
    ph_buf_fini(&command);
}

static void add_row(const struct ph_listed *member, struct ph_buf *out)
{
    const struct ph_process *process = &member->process;
    int pid = (int)process->pid;
    ph_buf_printf(out, "<tr%s><td class=number>%d<td class=wide>%s<td class=command><code>",
                  member->is_front ? " class=front" : "", pid, member->is_front ? "<b>front</b>" : "member");
    add_command(member, out);
    if (member->is_hidden) {
        ph_buf_text(out, "</code><td class=wide>unknown<td class=\"number wide\">?<td class=number>?");
    } else {
        ph_buf_printf(out, "</code><td class=wide>%s<td class=\"number wide\">%s", ph_state_word(process->state),
                      ph_human_duration(process->uptime_seconds).text);
        ph_buf_printf(out, "<td class=number>%s", ph_human_bytes((int64_t)process->rss_bytes).text);
    }
    ph_buf_printf(out, "<td><a href=\"/debug/pprof/heap?debug=1&amp;pid=%d\">heap</a></tr>\n", pid);
}

void ph_members_html(const struct ph_members *members, size_t limit, struct ph_buf *out)
{
    ph_buf_text(
        out, "<table class=processes>\n<tr><th class=number>PID<th class=wide>Role<th>Command<th class=wide>State"
             "<th class=\"number wide\">Uptime<th class=number>Resident<th></tr>\n");
    for (size_t i = 0; i < members->count && i < limit; i++)
        add_row(&members->items[i], out);
    ph_buf_text(out, "</table>\n");
}
