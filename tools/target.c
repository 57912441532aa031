#include "tools/target.h"

#include "base/scan.h"
#include "base/visible.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>
#include <unistd.h>

#define PORT_MAX        65535
#define SOCKET_PATH_MAX sizeof(((struct sockaddr_un *)0)->sun_path)

static bool is_decimal(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

static bool has_scheme(const char *text, const char *scheme)
{
    return strncasecmp(text, scheme, strlen(scheme)) == 0;
}

/* "host:6060", "[::1]:6060/debug/": a port stands where the host ends. */
static bool is_host_port(const char *text)
{
    size_t length = strcspn(text, "/?#");
    const char *colon = memrchr(text, ':', length);
    if (!colon || colon == text || memchr(text, ' ', length))
        return false;
    size_t digits = strspn(colon + 1, "0123456789");
    bool one_colon = memchr(text, ':', (size_t)(colon - text)) == NULL;
    bool bracketed = text[0] == '[' && colon[-1] == ']';
    return digits > 0 && digits <= 5 && colon + 1 + digits == text + length && (one_colon || bracketed);
}

static int parse_pid(const char *text, struct ph_target *target, struct ph_error *error)
{
    uint64_t pid;
    if (ph_parse_count(text, INT_MAX, &pid) < 0 || pid == 0)
        return ph_error_set(error, -EINVAL, "%.80s is no process id; a file of that name is ./%.80s", text, text);
    target->kind = PH_TARGET_PID;
    target->pid = (pid_t)pid;
    return 0;
}

static int parse_socket(const char *path, struct ph_target *target, struct ph_error *error)
{
    if (strlen(path) >= SOCKET_PATH_MAX)
        return ph_error_set(error, -EINVAL, "unix:%.40s... is too long: a socket path has at most %zu bytes", path,
                            SOCKET_PATH_MAX - 1);
    target->kind = PH_TARGET_SOCKET;
    target->text = path;
    return 0;
}

int ph_target_parse(const char *text, struct ph_target *ret_target, struct ph_error *error)
{
    struct ph_target target = {.kind = PH_TARGET_FILE, .text = text};
    int failed = 0;
    if (!*text)
        return ph_error_set(error, -EINVAL, "expected a process id, a URL or a file, not an empty word");
    if (is_decimal(text))
        failed = parse_pid(text, &target, error);
    else if (strncmp(text, "unix:/", 6) == 0)
        failed = parse_socket(text + 5, &target, error);
    else if (has_scheme(text, "http://") || has_scheme(text, "https://"))
        target.kind = PH_TARGET_URL;
    else if (strstr(text, "://"))
        failed = ph_error_set(error, -EINVAL, "%.80s: expected http://, https:// or unix:/", text);
    else if (is_host_port(text) && access(text, F_OK) < 0)
        target.kind = PH_TARGET_URL;
    if (failed == 0)
        *ret_target = target;
    return failed;
}

/* How much of a path stays in front of the route; all of it if it names a route itself. */
static size_t prefix_length(const char *path, size_t length, bool *ret_names_route)
{
    static const char *const indexes[] = {"/debug/pprof/", "/debug/pprof", "/debug/", "/debug"};
    *ret_names_route = false;
    if (length == 0 || (length == 1 && path[0] == '/'))
        return 0;
    for (size_t i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++) {
        size_t index_length = strlen(indexes[i]);
        if (length >= index_length && memcmp(path + length - index_length, indexes[i], index_length) == 0)
            return length - index_length;
    }
    *ret_names_route = true;
    return length;
}

static void append_url(const char *text, const char *route, const char *query, struct ph_buf *out)
{
    const char *scheme_end = strstr(text, "://");
    const char *host = scheme_end ? scheme_end + 3 : text;
    const char *path = host + strcspn(host, "/?#");
    size_t path_length = strcspn(path, "?#");
    const char *own_query = path[path_length] == '?' ? path + path_length + 1 : "";
    size_t own_query_length = strcspn(own_query, "#");
    bool names_route;
    size_t kept = prefix_length(path, path_length, &names_route);

    ph_buf_text(out, scheme_end ? "" : "http://");
    ph_buf_append(out, text, (size_t)(path - text) + kept);
    ph_buf_text(out, names_route ? "" : route);
    if (own_query_length + strlen(query) > 0)
        ph_buf_char(out, '?');
    ph_buf_append(out, own_query, own_query_length);
    ph_buf_text(out, own_query_length && *query ? "&" : "");
    ph_buf_text(out, query);
}

int ph_target_url(const struct ph_target *target, const char *route, const char *query, struct ph_buf *out)
{
    /* Over a socket the host name is a formality, but the server checks it: it must be a local one. */
    append_url(target->kind == PH_TARGET_URL ? target->text : "http://localhost", route, query, out);
    return ph_buf_status(out);
}

int ph_target_subject(const struct ph_target *target, struct ph_buf *out)
{
    if (target->kind == PH_TARGET_PID)
        ph_buf_printf(out, "process %d", (int)target->pid);
    else if (target->kind == PH_TARGET_SOCKET)
        ph_buf_text(out, "unix:");
    if (target->kind != PH_TARGET_PID)
        ph_visible(out, target->text);
    return ph_buf_status(out);
}
