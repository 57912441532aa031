/* reply.h - what a route answers. One thread at a time; it goes from a collector thread to the endpoint's whole. */
#ifndef PH_SERVER_REPLY_H
#define PH_SERVER_REPLY_H

#include "base/buf.h"
#include "base/error.h"
#include "server/request.h"

#include <stdbool.h>

#define PH_TEXT_PLAIN "text/plain; charset=utf-8"
#define PH_TEXT_HTML  "text/html; charset=utf-8"
#define PH_BINARY     "application/octet-stream"
#define PH_JSON       "application/json"
#define PH_PROBLEM    "application/problem+json"

/* Whoever is told this, all are told the same; who hung up, the other reason for -ECANCELED, reads nothing. */
#define PH_STOPPING "Porthole is stopping in this process"

#define PH_REPLY_HEADERS_MAX 10
#define PH_REPLY_VALUE_MAX   120

struct ph_reply {
    unsigned status;
    const char *type; /* Content-Type, static */
    unsigned header_count;
    struct {
        const char *name; /* static */
        char value[PH_REPLY_VALUE_MAX];
    } headers[PH_REPLY_HEADERS_MAX];
    struct ph_buf body;
};

/** ph_reply_begin() - 200, a type, no body and the headers that every answer has. */
void ph_reply_begin(struct ph_reply *reply, const char *type);
void ph_reply_fini(struct ph_reply *reply);

/** ph_reply_header() - one more header; values are cut at PH_REPLY_VALUE_MAX - 1 bytes. */
void ph_reply_header(struct ph_reply *reply, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** ph_reply_attachment() - a binary profile that browsers save as @name, "heap" or "heap-delta". */
void ph_reply_attachment(struct ph_reply *reply, const char *name, bool is_delta);

/**
 * ph_reply_error() - an error instead of whatever was there.
 *
 * Below /debug/pprof/ and /pprof/ a line of text with X-Go-Pprof: 1, without which pprof hides it; elsewhere, and where
 * Accept asks for it, RFC 9457's application/problem+json.
 */
void ph_reply_error(const struct ph_request *request, struct ph_reply *reply, unsigned status, const char *format,
                    ...) __attribute__((format(printf, 4, 5)));

/** ph_reply_failure() - an error from a negative errno: -ENOTSUP is 501, all else may pass and is 503. Without a text in
 * @error (may be NULL) it is PH_STOPPING for -ECANCELED, else that of the errno. */
void ph_reply_failure(const struct ph_request *request, struct ph_reply *reply, int code,
                      const struct ph_error *error);

void ph_reply_redirect(struct ph_reply *reply, const char *location);

#endif
