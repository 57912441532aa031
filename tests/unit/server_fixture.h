/* server_fixture.h - what the tests of lib/server share: a site with a probe of its own, and requests to it. */
#ifndef PH_TESTS_SERVER_FIXTURE_H
#define PH_TESTS_SERVER_FIXTURE_H

#include "server/reply.h"
#include "server/request.h"

#include <stdbool.h>

/** fixture_probe - descriptors stay where they are, threads are ordinary ones; heap functions are NULL. */
extern const struct ph_probe fixture_probe;

/** fixture_options - those of fixture_probe; a test may change them. */
extern struct ph_options fixture_options;

/** fixture_counters - those of fixture_probe. */
extern struct ph_probe_counters fixture_counters;

/** fixture_socket_opened() - NULL, or called for each descriptor that becomes ours. */
extern void (*fixture_socket_opened)(int fd);

/** fixture_forked() - in a forked child, as the probe leaves it: no descriptor of the parent is open but standard ones, what
 * was bequeathed, and @kept. */
void fixture_forked(int kept);

/** fixture_lose_heirs() - what was bequeathed is gone in this process. */
void fixture_lose_heirs(void);

/** fixture_site() - at http://127.0.0.1:6060, without a token. */
struct ph_site fixture_site(void);

/** fixture_get() - GET @target, HTTP/1.1, Host localhost. Free with ph_request_free(). */
struct ph_request *fixture_get(const struct ph_site *site, const char *target);

/** fixture_header() - the value of a header of the reply; NULL if there is none. */
const char *fixture_header(const struct ph_reply *reply, const char *name);

#endif
