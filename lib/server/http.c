#include "server/http.h"

#include "family/family.h"
#include "server/auth.h"
#include "server/reply.h"
#include "server/router.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <unistd.h>

#define IDLE_SECONDS_MAX    30U
#define HEADER_BYTES_MAX    ((size_t)32 << 10)
#define BODY_BYTES_MAX      ((size_t)1 << 20)
#define BODY_BYTES_READ_MAX ((size_t)16 << 20) /* what is read of a longer one, to be able to answer it */

enum ph_phase {
    PHASE_HEADERS, /* none of its calls yet */
    PHASE_BODY,    /* admitted; a body may follow */
    PHASE_JOB,     /* suspended */
    PHASE_READY,   /* resumed, the reply is there */
};

/* One request, from its first line to the end of its answer. */
struct ph_exchange {
    struct ph_http *http;
    enum ph_phase phase;
    struct ph_request *request; /* NULL while a job has it */
    struct ph_job *job;
    struct ph_reply reply;
    size_t body_bytes; /* also those that were not kept */
    struct ph_exchange *previous, *next;
};

static void free_exchange(struct ph_exchange *exchange)
{
    struct ph_exchange **place = exchange->previous ? &exchange->previous->next : &exchange->http->exchanges;
    *place = exchange->next;
    if (exchange->next)
        exchange->next->previous = exchange->previous;
    ph_request_free(exchange->request);
    ph_reply_fini(&exchange->reply);
    free(exchange);
}

/* Called with the raw request target, before MHD decodes and splits it: `symbol` needs its query as it was sent. What
 * this returns is the state of all further calls. */
static void *on_target(void *context, const char *target, struct MHD_Connection *connection)
{
    struct ph_http *http = context;
    struct ph_exchange *exchange = calloc(1, sizeof(*exchange));
    if (!exchange)
        return NULL;
    *exchange = (struct ph_exchange){.http = http, .next = http->exchanges};
    exchange->request = ph_request_new(http->site, target);
    if (http->exchanges)
        http->exchanges->previous = exchange;
    http->exchanges = exchange;
    return exchange;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode reason)
{
    struct ph_exchange *exchange = *state;
    *state = NULL;
    if (!exchange)
        return;
    if (exchange->job)
        ph_job_abandon(exchange->job);
    free_exchange(exchange);
}

/* Large bodies change hands, they are not copied. */
static struct MHD_Response *response_of(struct ph_reply *reply)
{
    size_t size_bytes;
    char *bytes = ph_buf_take(&reply->body, &size_bytes);
    struct MHD_Response *response =
        bytes ? MHD_create_response_from_buffer(size_bytes, bytes, MHD_RESPMEM_MUST_FREE) : NULL;
    if (!response) {
        free(bytes);
        return NULL;
    }
    if (reply->type)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
    for (unsigned i = 0; i < reply->header_count; i++)
        MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
    return response;
}

/* MHD_NO, where no memory is left even for an error, closes the connection. */
static enum MHD_Result answer(struct ph_exchange *exchange, struct MHD_Connection *connection)
{
    if (ph_buf_status(&exchange->reply.body) < 0 && exchange->request)
        ph_reply_error(exchange->request, &exchange->reply, 503, "out of memory");
    struct MHD_Response *response = response_of(&exchange->reply);
    if (!response)
        return MHD_NO;
    enum MHD_Result queued = MHD_queue_response(connection, exchange->reply.status, response);
    MHD_destroy_response(response);
    return queued;
}

static void copy_header(struct MHD_Connection *connection, const char *name, char *ret_value, size_t capacity)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
    snprintf(ret_value, capacity, "%s", value ? value : "");
}

static bool is_local(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info && info->client_addr && info->client_addr->sa_family == AF_UNIX;
}

static int client_fd_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

/*
 * Who proves to be of the family is admitted whatever its user is. Who tries and fails is refused whatever its user is, so
 * that a front learns that this process is not the member any more that had its pid: it has exec'ed a server of its own.
 */
static void judge_peer(struct ph_request *request, struct MHD_Connection *connection)
{
    const struct ph_segment *segment = request->site->family ? ph_family_segment(request->site->family) : NULL;
    const char *key = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, PH_FAMILY_HEADER);
    uid_t founder = segment ? ph_segment_founder_user(segment) : geteuid();
    request->is_local = is_local(connection);
    if (!request->is_local)
        return;
    request->is_family = segment && key && ph_key_matches(ph_segment_key(segment), key);
    request->is_refused_peer = key ? !request->is_family : !ph_peer_admitted(client_fd_of(connection), founder);
}

static void copy_headers(struct ph_request *request, struct MHD_Connection *connection, const char *method,
                         const char *version)
{
    request->method = ph_method_parse(method);
    request->is_version_1_1 = strcmp(version, MHD_HTTP_VERSION_1_1) == 0;
    judge_peer(request, connection);
    copy_header(connection, MHD_HTTP_HEADER_HOST, request->host, sizeof(request->host));
    copy_header(connection, MHD_HTTP_HEADER_ACCEPT, request->accept, sizeof(request->accept));
    copy_header(connection, MHD_HTTP_HEADER_AUTHORIZATION, request->authorization, sizeof(request->authorization));
}

static void refuse_body(struct ph_exchange *exchange)
{
    ph_reply_error(exchange->request, &exchange->reply, 413, "a request body may have %zu bytes", BODY_BYTES_MAX);
}

static bool announces_too_much(struct MHD_Connection *connection)
{
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return length && strtoull(length, NULL, 10) > BODY_BYTES_MAX;
}

static enum MHD_Result take_headers(struct ph_exchange *exchange, struct MHD_Connection *connection,
                                    const char *method, const char *version)
{
    struct ph_request *request = exchange->request;
    if (!request)
        return MHD_NO;
    copy_headers(request, connection, method, version);
    exchange->phase = PHASE_BODY;
    if (!ph_router_admit(request, &exchange->reply))
        return answer(exchange, connection);
    if (announces_too_much(connection)) {
        refuse_body(exchange);
        return answer(exchange, connection);
    }
    return MHD_YES;
}

/* MHD takes no answer while a body comes in: one too long is read on for a while, then the connection closes. */
static enum MHD_Result take_body(struct ph_exchange *exchange, const char *bytes, size_t size_bytes)
{
    exchange->body_bytes += size_bytes;
    if (exchange->body_bytes <= BODY_BYTES_MAX)
        ph_buf_append(&exchange->request->body, bytes, size_bytes);
    return exchange->body_bytes <= BODY_BYTES_READ_MAX ? MHD_YES : MHD_NO;
}

/* A job that began while the endpoint closes could outlive the connections: stopping MHD with one of them suspended ends
 * the host (MHD_stop_daemon(), "It is not allowed"). */
static enum MHD_Result start_job(struct ph_exchange *exchange, struct MHD_Connection *connection)
{
    struct ph_error error = {0, ""};
    struct ph_http *http = exchange->http;
    if (http->is_closing) {
        ph_reply_error(exchange->request, &exchange->reply, 503, PH_STOPPING);
        return answer(exchange, connection);
    }
    int status = ph_job_start(http->jobs, exchange->request, client_fd_of(connection), connection, http->hold,
                              &exchange->job, &error);
    if (status < 0) {
        ph_reply_failure(exchange->request, &exchange->reply, status, &error);
        return answer(exchange, connection);
    }
    exchange->request = NULL;
    exchange->phase = PHASE_JOB;
    MHD_suspend_connection(connection);
    return MHD_YES;
}

static enum MHD_Result dispatch(struct ph_exchange *exchange, struct MHD_Connection *connection)
{
    struct ph_request *request = exchange->request;
    if (exchange->body_bytes > BODY_BYTES_MAX)
        refuse_body(exchange);
    else if (ph_buf_status(&request->body) < 0)
        ph_reply_error(request, &exchange->reply, 503, "out of memory");
    else if (request->route->kind == PH_ROUTE_JOB)
        return start_job(exchange, connection);
    else
        request->route->handle(request, &exchange->reply);
    return answer(exchange, connection);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload, size_t *upload_bytes,
                                  void **state)
{
    struct ph_exchange *exchange = *state;
    if (!exchange)
        return MHD_NO; /* on_target() had no memory */
    if (exchange->phase == PHASE_HEADERS)
        return take_headers(exchange, connection, method, version);
    if (exchange->phase == PHASE_READY)
        return answer(exchange, connection);
    if (*upload_bytes == 0)
        return dispatch(exchange, connection);
    size_t size_bytes = *upload_bytes;
    *upload_bytes = 0;
    return take_body(exchange, upload, size_bytes);
}

int ph_http_start(struct ph_http *http, struct ph_error *error)
{
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, http,
        MHD_OPTION_CONNECTION_LIMIT, http->connections_max, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEADER_BYTES_MAX, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, http, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, MHD_YES, MHD_OPTION_END);
    if (!http->daemon)
        return ph_error_set(error, -ENFILE,
                            "libmicrohttpd could not start: too few descriptors or too little memory");
    http->epoll_fd = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    return 0;
}

int ph_http_add(struct ph_http *http, int fd, const struct sockaddr *peer, socklen_t peer_bytes)
{
    unsigned count = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections;
    if (count + http->connections_added >= http->connections_max)
        return -EBUSY;
    /* If it fails it has closed the connection, for lack of memory. */
    if (MHD_add_connection(http->daemon, fd, peer, peer_bytes) == MHD_YES)
        http->connections_added++;
    return 0;
}

int ph_http_timeout_ms(const struct ph_http *http)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms;
    if (MHD_get_timeout(http->daemon, &timeout_ms) != MHD_YES)
        return -1;
    return (int)MIN(timeout_ms, IDLE_SECONDS_MAX * 1000ULL);
}

static void resume(struct ph_exchange *exchange, struct MHD_Connection *connection)
{
    exchange->job = NULL;
    exchange->phase = PHASE_READY;
    MHD_resume_connection(connection);
}

static struct ph_exchange *exchange_of(const struct ph_http *http, const struct ph_job *job)
{
    struct ph_exchange *exchange = http->exchanges;
    while (exchange && exchange->job != job)
        exchange = exchange->next;
    return exchange;
}

static void fetch_jobs(struct ph_http *http)
{
    struct ph_job *job;
    while ((job = ph_jobs_fetch(http->jobs)) != NULL) {
        struct ph_exchange *exchange = exchange_of(http, job);
        if (exchange) {
            exchange->request = job->request;
            exchange->request->job = NULL;
            job->request = NULL;
            exchange->reply = job->reply;
            job->reply = (struct ph_reply){0};
            resume(exchange, job->connection);
        }
        ph_job_free(job);
    }
}

void ph_http_run(struct ph_http *http)
{
    fetch_jobs(http);
    MHD_run(http->daemon);
    http->connections_added = 0;
}

bool ph_http_is_busy(const struct ph_http *http)
{
    return http->exchanges != NULL;
}

void ph_http_cancel(struct ph_http *http)
{
    http->is_closing = true;
    for (struct ph_exchange *exchange = http->exchanges; exchange; exchange = exchange->next)
        if (exchange->job)
            ph_job_cancel(exchange->job);
}

/* The request belongs to the job, so the error is made without one: plain text suits every client of a stopping
 * process. */
void ph_http_abandon(struct ph_http *http)
{
    fetch_jobs(http);
    for (struct ph_exchange *exchange = http->exchanges; exchange; exchange = exchange->next) {
        struct ph_job *job = exchange->job;
        if (!job)
            continue;
        struct MHD_Connection *connection = job->connection;
        ph_reply_begin(&exchange->reply, PH_TEXT_PLAIN);
        exchange->reply.status = 503;
        ph_reply_header(&exchange->reply, "X-Go-Pprof", "1");
        ph_buf_text(&exchange->reply.body, PH_STOPPING "\n");
        ph_job_abandon(job);
        resume(exchange, connection);
    }
    fetch_jobs(http);
}

void ph_http_stop(struct ph_http *http)
{
    if (http->daemon)
        MHD_stop_daemon(http->daemon);
    http->daemon = NULL;
}
