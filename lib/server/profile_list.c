#include "server/profile_list.h"

#include "server/commands.h"
#include "server/html.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TARGET_MAX_BYTES 96 /* a path with its query */

static void add_command(struct ph_buf *out, struct ph_buf *command)
{
    if (ph_buf_status(command) == 0 && command->data)
        ph_html_command(out, command->data);
    ph_buf_fini(command);
}

static bool takes(const struct ph_route *route, const char *parameter)
{
    return strstr(route->parameters, parameter) != NULL;
}

bool ph_profile_is_lasting(const struct ph_route *route)
{
    return takes(route, "hz");
}

static void add_pprof(const struct ph_request *request, const struct ph_route *route, const char *query,
                      struct ph_buf *out)
{
    char target[TARGET_MAX_BYTES], file[32];
    struct ph_buf command = PH_BUF_INIT;
    snprintf(target, sizeof(target), "%s%s", route->path, query);
    snprintf(file, sizeof(file), "%s.pb.gz", ph_route_name(route));
    ph_command_pprof(request, target, file, &command);
    add_command(out, &command);
}

static void add_curl(const struct ph_request *request, const struct ph_route *route, const char *query,
                     struct ph_buf *out)
{
    char target[TARGET_MAX_BYTES];
    struct ph_buf command = PH_BUF_INIT;
    snprintf(target, sizeof(target), "%s%s", route->path, query);
    ph_command_curl(request, target, &command);
    add_command(out, &command);
}

/* Ways to look: in pprof, over a while, as text. One is enough for a profile that is always empty. */
static void add_profile_commands(const struct ph_request *request, const struct ph_route *route, struct ph_buf *out)
{
    if (ph_profile_is_lasting(route)) {
        add_pprof(request, route, "?seconds=10", out);
        return;
    }
    add_pprof(request, route, "", out);
    if (route->handle == ph_route_empty)
        return;
    if (takes(route, "seconds"))
        add_pprof(request, route, "?seconds=30", out);
    if (takes(route, "debug"))
        add_curl(request, route, "?debug=1", out);
    if (route->handle == ph_route_threads)
        add_curl(request, route, "?debug=2", out);
}

/* @count: -1 if it is not known. */
static void add_profile(const struct ph_request *request, const struct ph_route *route, int64_t count,
                        struct ph_buf *out)
{
    bool has_text = takes(route, "debug");
    const char *query = has_text ? "?debug=1" : ph_profile_is_lasting(route) ? "?seconds=10" : "";
    ph_buf_printf(out, "<div class=card><h3><a href=\"%s%s\">%s</a>", route->path, query, ph_route_name(route));
    if (count >= 0)
        ph_buf_printf(out, " <span class=soft>%" PRId64 "</span>", count);
    ph_buf_text(out, "</h3>\n<p>");
    ph_buf_html(out, route->summary);
    ph_buf_text(out, "</p>\n");
    add_profile_commands(request, route, out);
    ph_buf_text(out, "</div>\n");
}

void ph_profile_list_write(const struct ph_request *request, ph_profile_count *count_of, const void *context,
                           struct ph_buf *out)
{
    size_t count;
    const struct ph_route *routes = ph_routes(&count);
    for (size_t i = 0; i < count; i++)
        if (routes[i].group == PH_GROUP_PROFILE)
            add_profile(request, &routes[i], count_of ? count_of(context, &routes[i]) : -1, out);
}
