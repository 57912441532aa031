#include "server/reply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    unsigned status;
    const char *title; /* RFC 9110, 15; RFC 6585 */
} titles[] = {
    {400, "Bad Request"},         {401, "Unauthorized"},          {403, "Forbidden"},
    {404, "Not Found"},           {405, "Method Not Allowed"},    {409, "Conflict"},
    {413, "Content Too Large"},   {500, "Internal Server Error"}, {501, "Not Implemented"},
    {503, "Service Unavailable"},
};

static const char *title_of(unsigned status)
{
    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "Error";
}

void ph_reply_begin(struct ph_reply *reply, const char *type)
{
    ph_buf_fini(&reply->body);
    *reply = (struct ph_reply){.status = 200, .type = type};
    ph_reply_header(reply, "X-Content-Type-Options", "nosniff");
    ph_reply_header(reply, "Cache-Control", "no-store");
    if (strcmp(type, PH_TEXT_HTML) == 0) {
        ph_reply_header(reply, "Content-Security-Policy",
                        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'");
        ph_reply_header(reply, "Referrer-Policy", "no-referrer");
    }
}

void ph_reply_fini(struct ph_reply *reply)
{
    ph_buf_fini(&reply->body);
}

void ph_reply_header(struct ph_reply *reply, const char *name, const char *format, ...)
{
    if (reply->header_count == PH_REPLY_HEADERS_MAX)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(reply->headers[reply->header_count].value, PH_REPLY_VALUE_MAX, format, args);
    va_end(args);
    reply->headers[reply->header_count++].name = name;
}

void ph_reply_attachment(struct ph_reply *reply, const char *name, bool is_delta)
{
    ph_reply_begin(reply, PH_BINARY);
    ph_reply_header(reply, "Content-Disposition", "attachment; filename=\"%s%s\"", name, is_delta ? "-delta" : "");
}

static bool is_below(const char *path, const char *folder)
{
    return strncmp(path, folder, strlen(folder)) == 0;
}

static bool wants_problem(const struct ph_request *request)
{
    static const char *const types[] = {"text/plain", PH_PROBLEM, PH_JSON, NULL};
    bool is_pprof = is_below(request->path, "/debug/pprof/") || is_below(request->path, "/pprof/");
    return !is_pprof || ph_accept_choose(request->accept, types) > 0;
}

static void write_problem(struct ph_reply *reply, const char *detail)
{
    ph_buf_printf(&reply->body,
                  "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u,\"detail\":", title_of(reply->status),
                  reply->status);
    ph_buf_json(&reply->body, detail);
    ph_buf_text(&reply->body, "}\n");
}

static void set_error(const struct ph_request *request, struct ph_reply *reply, unsigned status, const char *detail)
{
    bool problem = wants_problem(request);
    ph_reply_begin(reply, problem ? PH_PROBLEM : PH_TEXT_PLAIN);
    reply->status = status;
    if (status == 503)
        ph_reply_header(reply, "Retry-After", "1");
    if (problem) {
        write_problem(reply, detail);
        return;
    }
    ph_reply_header(reply, "X-Go-Pprof", "1");
    ph_buf_printf(&reply->body, "%s\n", detail);
}

void ph_reply_error(const struct ph_request *request, struct ph_reply *reply, unsigned status, const char *format,
                    ...)
{
    char detail[PH_ERROR_TEXT_MAX + 128];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof(detail), format, args);
    va_end(args);
    set_error(request, reply, status, detail);
}

void ph_reply_failure(const struct ph_request *request, struct ph_reply *reply, int code,
                      const struct ph_error *error)
{
    const char *detail = code == -ECANCELED ? PH_STOPPING : strerror(-code);
    if (error && error->text[0])
        detail = error->text;
    set_error(request, reply, code == -ENOTSUP ? 501 : 503, detail);
}

void ph_reply_redirect(struct ph_reply *reply, const char *location)
{
    ph_reply_begin(reply, PH_TEXT_PLAIN);
    reply->status = 301;
    ph_reply_header(reply, "Location", "%s", location);
    ph_buf_printf(&reply->body, "%s\n", location);
}
