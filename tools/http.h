/*
 * http.h - GET over TCP or a Unix socket, bounded in time and size; libcurl does the work.
 *
 * No proxy is used (a profile and its token are meant for this one host), no redirect followed. One thread at a time.
 */
#ifndef PH_TOOLS_HTTP_H
#define PH_TOOLS_HTTP_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct ph_http_request {
    const char *url;
    const char *socket_path;     /* connect there instead of to the URL's host; NULL for TCP */
    const char *abstract_socket; /* the same for the abstract namespace, without the NUL in front */
    const char *token;           /* sent as a bearer token; NULL for none */
    long timeout_ms;             /* of the whole exchange */
    size_t limit_bytes;          /* of the body */
    bool (*is_given_up)(
        void); /* end with -ECANCELED? asked at least once a second, and when a signal comes; may be NULL */
};

struct ph_http_answer {
    struct ph_error error; /* code 0: status is 200 and the body complete */
    long status;           /* 0 if there was no answer */
    struct ph_buf body;
};

/**
 * ph_http_get() - send all @count requests at once and wait for all answers.
 * @ret_answers: one for each request, in any state before; ph_http_fini() releases it.
 *
 * Errors, each with a sentence that does not name the URL: -ECONNREFUSED nobody listens there; -ENOENT no such host
 * or socket; -ETIMEDOUT; -ECONNRESET it hung up; -EACCES status 401 or 403; -EBUSY status 409, the text then
 * is the body's first line; -EPROTO another status than 200, the first line of the body
 * is in the text; -EFBIG; -ECANCELED given up; -ENOMEM; -EIO for the rest, as libcurl puts it.
 */
void ph_http_get(const struct ph_http_request *requests, size_t count, struct ph_http_answer *ret_answers);

void ph_http_fini(struct ph_http_answer *answer);

#endif
