/*
 * server.h - the endpoint: listening sockets, libmicrohttpd, routes. All of its threads are ours.
 */
#ifndef PH_SERVER_SERVER_H
#define PH_SERVER_SERVER_H

#include "base/error.h"
#include "probe/probe.h"

struct ph_server;

/**
 * ph_server_start() - bind and serve.
 * @probe: borrowed until ph_server_stop(). What to listen on is in its options.
 *
 * Listens at options->listen (next free port of 20 if taken) and, for `porthole`, at the abstract Unix socket
 * @porthole/<pid>, which admits root and the own uid. One own thread accepts and answers; profiles are made on
 * collector threads of their own. 0; -EADDRINUSE, -EACCES, … with the reason and the way out in @error; in that case
 * nothing is left open.
 */
int ph_server_start(const struct ph_probe *probe, struct ph_server **ret_server, struct ph_error *error);

/** ph_server_url() - "http://127.0.0.1:6060" or "unix:/path"; "" if PORTHOLE_LISTEN is off. Valid until stop. */
const char *ph_server_url(const struct ph_server *server);

/** ph_server_stop() - stop listening, wait at most one second for requests under way, release everything that no
 * collector thread still uses. NULL is fine. */
void ph_server_stop(struct ph_server *server);

#endif
