/*
 * server.h - the endpoint: listening sockets, libmicrohttpd, routes. All of its threads are ours.
 */
#ifndef PH_SERVER_SERVER_H
#define PH_SERVER_SERVER_H

#include "base/error.h"
#include "probe/probe.h"

#include <stdbool.h>

struct ph_server;

/**
 * ph_server_start() - bind and serve.
 * @probe: borrowed until ph_server_stop(). What to listen on is in its options.
 *
 * The first process of a family listens at options->listen (next free port of 20 if taken); those forked from it join it, and
 * one takes over when the front ends. Each listens at the abstract Unix socket @porthole/<pid>, which admits root, the own
 * uid, the founder's, and who has the family's key. One own thread accepts and answers; profiles are made on
 * collector threads of their own. 0; -EADDRINUSE, -EACCES, … with the reason and the way out in @error; in that case
 * nothing is left open.
 */
int ph_server_start(const struct ph_probe *probe, struct ph_server **ret_server, struct ph_error *error);

/** ph_server_url() - where the family listened at the start: "http://127.0.0.1:6060" or "unix:/path"; "" if PORTHOLE_LISTEN is
 * off, or its socket file is still that of another generation. Valid until stop. */
const char *ph_server_url(const struct ph_server *server);

/** ph_server_is_founder() - has this process opened the port? Else it has joined those that a process before it founded. */
bool ph_server_is_founder(const struct ph_server *server);

/** ph_server_stop() - stop listening, wait at most one second for requests under way, release everything that no
 * collector thread still uses. NULL is fine. */
void ph_server_stop(struct ph_server *server);

#endif
