/* routes_threads.c - what all threads do now: for pprof, as text, JSON and a page. */
#include "collect/process.h"
#include "collect/thread_dump.h"
#include "model/demangle.h"
#include "model/maps.h"
#include "server/count_text.h"
#include "server/format.h"
#include "server/pprof_reply.h"
#include "server/router.h"
#include "server/scope.h"
#include "server/snapshot.h"
#include "server/threads_write.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DUMP_PATH        "/debug/pprof/threads" /* where other members are asked */
#define PATIENCE_SECONDS 5 /* with other members: each of them waits 2 s for threads that do not answer */

static int collect(const struct ph_request *request, bool gc, struct ph_profile **ret_profile,
                   struct ph_error *error)
{
    return ph_thread_dump_collect(request->site->probe, ret_profile, error);
}

static int collect_bare(const struct ph_request *request, bool gc, struct ph_modules *ret_modules,
                        struct ph_profile **ret_profile, struct ph_error *error)
{
    int status = ph_thread_dump_collect_bare(request->site->probe, ret_profile, error);
    return status < 0 ? status : ph_snapshot_modules(ret_modules, ret_profile, error);
}

typedef void send_dump(const struct ph_request *request, struct ph_reply *reply, struct ph_profile *dump, int how);

/* A dump is a moment: `seconds` means nothing to it. */
static void serve(const struct ph_request *request, struct ph_reply *reply, send_dump *send, int how)
{
    static const struct ph_snapshot_kind threads = {.collect = collect,
                                                    .bare = collect_bare,
                                                    .counted_as = PH_PROFILE_THREADS,
                                                    .patience_seconds = PATIENCE_SECONDS};
    static const struct ph_pprof_query now = {0};
    struct ph_error error = {0, ""};
    struct ph_profile *dump = NULL;
    enum ph_scope scope = ph_scope_of(request, reply, 0);
    if (scope == PH_SCOPE_ANSWERED)
        return;
    int status = ph_snapshot(&threads, request, scope, &now, DUMP_PATH, &dump, &error);
    if (status < 0)
        ph_reply_failure(request, reply, status, &error);
    else if (scope == PH_SCOPE_BARE)
        ph_pprof_reply_bare(request, reply, dump);
    else
        send(request, reply, dump, how);
    ph_scope_sign(request, reply);
    ph_profile_free(dump);
}

/* ---- for pprof, and for those who know Go ---- */

static bool is_goroutine(const struct ph_request *request)
{
    return strcmp(ph_route_name(request->route), "goroutine") == 0;
}

/* Scrapers make series of Go's names. */
static void name_type(const struct ph_request *request, struct ph_profile *dump)
{
    if (is_goroutine(request))
        dump->period_type.type = dump->types[0].type = ph_profile_string(dump, "goroutine");
}

static void send_each(const struct ph_request *request, struct ph_reply *reply, struct ph_profile *dump)
{
    struct ph_threads_view view;
    int status = ph_profile_demangle(dump);
    if (status == 0)
        status = ph_threads_view_make(dump, &view);
    if (status < 0) {
        ph_reply_failure(request, reply, status, NULL);
        return;
    }
    ph_reply_begin(reply, PH_TEXT_PLAIN);
    if (is_goroutine(request))
        ph_threads_go_text(&view, &reply->body);
    else
        ph_threads_text(&view, &reply->body);
    ph_threads_view_fini(&view);
}

static void send_pprof(const struct ph_request *request, struct ph_reply *reply, struct ph_profile *dump, int debug)
{
    name_type(request, dump);
    if (debug == 0) {
        ph_pprof_reply(request, reply, dump, false);
        return;
    }
    ph_maps_part(dump);
    if (debug >= 2) {
        send_each(request, reply, dump);
        return;
    }
    ph_reply_begin(reply, PH_TEXT_PLAIN);
    ph_count_text_write(dump, ph_route_name(request->route), &reply->body);
}

void ph_route_threads(struct ph_request *request, struct ph_reply *reply)
{
    int64_t debug = ph_query_number(request->query, "debug");
    serve(request, reply, send_pprof, debug >= 2 ? 2 : debug != 0);
}

/* ---- for people and programs ---- */

static struct ph_threads_title title_of(const struct ph_request *request, struct ph_process *process)
{
    struct ph_error ignored = {0, ""};
    *process = (struct ph_process){.pid = getpid()};
    if (ph_process_self(process, &ignored) < 0)
        snprintf(process->name, sizeof(process->name), "%s", program_invocation_short_name);
    return (struct ph_threads_title){process->pid, process->name, request->site->probe->version};
}

static void write_as(enum ph_format format, const struct ph_threads_view *view,
                     const struct ph_threads_title *title, struct ph_buf *out)
{
    if (format == PH_FORMAT_JSON)
        ph_threads_json(view, title, out);
    else if (format == PH_FORMAT_TEXT)
        ph_threads_text(view, out);
    else
        ph_threads_html(view, title, out);
}

static void send_page(const struct ph_request *request, struct ph_reply *reply, struct ph_profile *dump, int format)
{
    struct ph_threads_view view;
    struct ph_process process;
    struct ph_threads_title title = title_of(request, &process);
    int status = ph_profile_demangle(dump);
    if (status == 0)
        status = ph_threads_view_make(dump, &view);
    if (status < 0) {
        ph_reply_failure(request, reply, status, NULL);
        return;
    }
    ph_format_begin(reply, (enum ph_format)format);
    write_as((enum ph_format)format, &view, &title, &reply->body);
    ph_threads_view_fini(&view);
}

void ph_route_threads_page(struct ph_request *request, struct ph_reply *reply)
{
    int format = ph_format_choose(request, reply);
    if (format >= 0)
        serve(request, reply, send_page, format);
}
