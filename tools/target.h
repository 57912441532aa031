/*
 * target.h - what a person names on the command line: a process, an endpoint or a file.
 *
 *   1234                      a process: asked at its local socket, @porthole/1234
 *   http://host:6060          an endpoint; also https, host:6060, and any path that ends before the route
 *   unix:/path                an endpoint at a Unix socket
 *   anything else             a file; "./1234" and "./host:6060" are files, too; or a server, by target_name.h
 */
#ifndef PH_TOOLS_TARGET_H
#define PH_TOOLS_TARGET_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

enum ph_target_kind {
    PH_TARGET_PID,
    PH_TARGET_URL,
    PH_TARGET_SOCKET,
    PH_TARGET_FILE,
};

struct ph_target {
    enum ph_target_kind kind;
    const char *text; /* as given, borrowed; of a socket: its path */
    pid_t pid;        /* of PH_TARGET_PID */
    bool is_named;    /* of PH_TARGET_PID: text is the name of the server (target_name.h) */
};

/** ph_target_parse() - 0; -EINVAL for what can be none of them, with the reason in @error. */
int ph_target_parse(const char *text, struct ph_target *ret_target, struct ph_error *error);

/**
 * ph_target_url() - append the URL of @route ("/debug/pprof/heap") at a target that is no file.
 * @query: "seconds=5", or "" for none; added to what the URL has already.
 *
 * A URL that names a route already (http://host/debug/pprof/allocs) keeps it. 0 or -ENOMEM.
 */
int ph_target_url(const struct ph_target *target, const char *route, const char *query, struct ph_buf *out);

/** ph_target_subject() - append how to call it in a heading: "process 1234", the URL, the file. 0 or -ENOMEM. */
int ph_target_subject(const struct ph_target *target, struct ph_buf *out);

#endif
