/*
 * request.h - one request, copied out of the HTTP library: it can outlive its connection, and routes need not know
 * that library.
 */
#ifndef PH_SERVER_REQUEST_H
#define PH_SERVER_REQUEST_H

#include "base/buf.h"
#include "family/family.h"
#include "probe/probe.h"
#include "server/auth.h"
#include "server/listen.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ph_job;
struct ph_jobs;
struct ph_route;

/* What all requests share; it does not change while the endpoint serves. */
struct ph_site {
    const struct ph_probe *probe;
    struct ph_family *family; /* NULL where a test serves without one: then this process is alone */
    char url[PH_URL_MAX];     /* where there is no family; "" if PORTHOLE_LISTEN is off */
    struct ph_token token;    /* empty if none is needed */
    struct ph_jobs *jobs;     /* for counting them only; NULL where a test serves without */
};

enum ph_method {
    PH_METHOD_GET = 1, /* bits, so that a route can name several */
    PH_METHOD_HEAD = 2,
    PH_METHOD_POST = 4,
    PH_METHOD_OTHER = 8,
};

struct ph_request {
    const struct ph_site *site;
    const struct ph_route *route; /* NULL for a path that has none */
    struct ph_job *job;           /* where ph_job_wait() waits; NULL on the endpoint thread */
    enum ph_method method;
    char url[PH_URL_MAX]; /* where the family listened when the request came; "" for nowhere */
    bool is_local;        /* came over a Unix socket: neither Host nor token matter */
    bool is_refused_peer; /* another user at the abstract socket, and not of the family */
    bool is_family;       /* came from another member, which has proved it: wants this process alone */
    bool is_version_1_1;
    char *target;      /* owned; holds path and query */
    const char *path;  /* decoded, without the query */
    const char *query; /* as sent, without the '?'; "" if there is none */
    char host[280];    /* the Host header, "" if there is none: a DNS name has 253 bytes */
    char accept[512];
    char authorization[PH_TOKEN_MAX_BYTES + 16];
    struct ph_buf body;
};

/** ph_request_new() - @target as in the request line, copied. NULL if memory is out. */
struct ph_request *ph_request_new(const struct ph_site *site, const char *target);
void ph_request_free(struct ph_request *request);

enum ph_method ph_method_parse(const char *text);

/**
 * ph_query_text() - the first value of @name in the query, decoded. False if it is not there.
 * Cut at @capacity - 1 bytes: no value that means anything is long.
 */
bool ph_query_text(const char *query, const char *name, char *ret_value, size_t capacity);

/** ph_query_number() - as Go's strconv.Atoi with errors ignored: 0 for what is absent or no number. */
int64_t ph_query_number(const char *query, const char *name);

/**
 * ph_accept_choose() - which of @types (NULL-terminated, as "text/html") the Accept header likes best (RFC 9110, 12.5.1).
 *
 * Equal likings: the earlier of @types. Its place; 0 if the header is empty; -1 if it allows none of them.
 */
int ph_accept_choose(const char *accept, const char *const *types);

#endif
