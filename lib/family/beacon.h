/*
 * beacon.h - a name that one process at a time can hold, and that others can watch go out.
 *
 * Issue: the end of the front must be seen at once, without polling; also if it ends by exec(), where its pid lives on and
 * a pidfd says nothing; and exactly one member may follow.
 * Solution: the kernel's table of abstract Unix sockets. Holding a name is binding a listening socket to it: exclusive, and
 * over when the process ends or execs (CLOEXEC), whatever happens to it. Who wants to watch connects, and is given the reading
 * end of a pipe: the kernel hangs it up when the holder, the only one with the writing end, has gone. Until that is
 * handed over, the connection itself says so; so the holder need not hurry, and keeps no descriptor for a watcher.
 * Drawback: names belong to a network namespace, and another user of it who learns the name from /proc/net/unix could take
 * it in the moment between two holders. So a watcher is told who holds it, and judges.
 */
#ifndef PH_FAMILY_BEACON_H
#define PH_FAMILY_BEACON_H

#include "probe/probe.h"

#include <stdbool.h>
#include <sys/socket.h>

#define PH_BEACON_NAME_MAX 100

/* A name that this process holds; on threads of ours. */
struct ph_beacon {
    int fd;           /* -1: none is held */
    int life_ends[2]; /* of the pipe */
    bool is_deaf;     /* no descriptor was left to answer: who waits at fd sees the end, too */
};

#define PH_BEACON_OUT ((struct ph_beacon){-1, {-1, -1}, false})

/** ph_beacon_light() - hold @name. 0; -EADDRINUSE if somebody holds it; else a negative errno. */
int ph_beacon_light(const struct ph_probe *probe, const char *name, struct ph_beacon *ret_beacon);

/** ph_beacon_answer() - to be called when @beacon->fd is readable, unless it is deaf: somebody wants to watch. */
void ph_beacon_answer(struct ph_beacon *beacon);

/** ph_beacon_put_out() - let go of the name. Twice is fine. */
void ph_beacon_put_out(struct ph_beacon *beacon);

/**
 * ph_beacon_watch() - a descriptor, ours, that poll() reports when there is something for ph_beacon_settle().
 * @ret_holder: the process that lit it, by the kernel's word, as this process's namespaces show it.
 *
 * -ECONNREFUSED if nobody holds it; -EAGAIN if too many want to watch it at once (net.core.somaxconn); else a negative
 * errno.
 */
int ph_beacon_watch(const struct ph_probe *probe, const char *name, struct ucred *ret_holder);

/** ph_beacon_settle() - @fd was reported. The descriptor to poll from now on, perhaps another one; -ECONNRESET, and @fd is
 * closed, if the holder has gone. */
int ph_beacon_settle(const struct ph_probe *probe, int fd);

#endif
