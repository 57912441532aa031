#include "server/commands.h"

#include <stdio.h>
#include <string.h>

void ph_shell_quote(const char *text, struct ph_buf *out)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,";
    if (text[0] && text[strspn(text, plain)] == '\0') {
        ph_buf_text(out, text);
        return;
    }
    ph_buf_char(out, '\'');
    for (; *text; text++) {
        if (*text == '\'')
            ph_buf_text(out, "'\\''");
        else
            ph_buf_char(out, *text);
    }
    ph_buf_char(out, '\'');
}

static const char unix_scheme[] = "unix:";

static bool is_unix_url(const char *url)
{
    return strncmp(url, unix_scheme, sizeof(unix_scheme) - 1) == 0;
}

/* A client on a Unix socket may have any Host: it is told the TCP address, if there is one. */
static bool by_tcp(const struct ph_request *request)
{
    return !request->is_local || (request->url[0] && !is_unix_url(request->url));
}

static void append_url(const struct ph_request *request, const char *target, struct ph_buf *out)
{
    char url[sizeof(request->host) + 160];
    if (!by_tcp(request))
        snprintf(url, sizeof(url), "http://localhost%s", target);
    else if (request->is_local || request->host[0] == '\0')
        snprintf(url, sizeof(url), "%s%s", request->url, target);
    else
        snprintf(url, sizeof(url), "http://%s%s", request->host, target);
    ph_shell_quote(url, out);
}

static void append_socket(const struct ph_request *request, struct ph_buf *out)
{
    struct ph_address address;
    char url[PH_URL_MAX];
    if (request->url[0]) {
        ph_buf_text(out, " --unix-socket ");
        ph_shell_quote(request->url + sizeof(unix_scheme) - 1, out);
        return;
    }
    address = ph_address_abstract();
    ph_address_url(&address, url);
    ph_buf_text(out, " --abstract-unix-socket ");
    ph_shell_quote(url + sizeof(unix_scheme), out); /* without the '@' */
}

static void append_curl(const struct ph_request *request, struct ph_buf *out)
{
    ph_buf_text(out, "curl -sS");
    if (!by_tcp(request)) {
        append_socket(request, out);
        return;
    }
    if (request->site->token.size_bytes == 0)
        return;
    ph_buf_text(out, " -H \"Authorization: Bearer $(head -n1 ");
    ph_shell_quote(request->site->probe->options->token_file, out);
    ph_buf_text(out, ")\"");
}

void ph_command_curl(const struct ph_request *request, const char *target, struct ph_buf *out)
{
    append_curl(request, out);
    ph_buf_char(out, ' ');
    append_url(request, target, out);
}

void ph_command_pprof(const struct ph_request *request, const char *target, const char *file, struct ph_buf *out)
{
    if (by_tcp(request) && request->site->token.size_bytes == 0) {
        ph_buf_text(out, "go tool pprof ");
        append_url(request, target, out);
        return;
    }
    append_curl(request, out);
    ph_buf_text(out, " -o ");
    ph_shell_quote(file, out);
    ph_buf_char(out, ' ');
    append_url(request, target, out);
    ph_buf_text(out, " && go tool pprof ");
    ph_shell_quote(file, out);
}
