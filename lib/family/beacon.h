/*
 * beacon.h - a name that one process at a time can hold, and that others can watch go out.
 *
 * Issue: the end of the front must be seen at once, without polling; also if it ends by exec(), where its pid lives on and
 * a pidfd says nothing; and exactly one member may follow.
 * Solution: the kernel's table of abstract Unix sockets. Holding a name is binding a listening socket to it: exclusive, and
 * over when the process ends or execs (CLOEXEC), whatever happens to it. Watching is a connection that the holder never
 * accepts: it costs the holder no descriptor, and the kernel hangs it up when the listening socket is closed.
 * Drawback: names belong to a network namespace, and another user of it who learns the name from /proc/net/unix could take
 * it in the moment between two holders. So a watcher is told who holds it, and judges.
 */
#ifndef PH_FAMILY_BEACON_H
#define PH_FAMILY_BEACON_H

#include "probe/probe.h"

#include <sys/socket.h>

#define PH_BEACON_NAME_MAX 100

/** ph_beacon_light() - hold @name. A descriptor, ours, to be closed in the end; -EADDRINUSE if somebody holds it; else a
 * negative errno. */
int ph_beacon_light(const struct ph_probe *probe, const char *name);

/**
 * ph_beacon_watch() - a descriptor, ours, that poll() reports (POLLHUP) once the holder of @name has gone.
 * @ret_holder: the process that lit it, by the kernel's word, as this process's namespaces show it.
 *
 * -ECONNREFUSED if nobody holds it; -EAGAIN if it is watched by too many (net.core.somaxconn); else a negative errno.
 */
int ph_beacon_watch(const struct ph_probe *probe, const char *name, struct ucred *ret_holder);

#endif
