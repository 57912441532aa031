/* parcel.h - descriptors on their way through a Unix socket (SCM_RIGHTS). Any thread; async-signal-safe; never waits. */
#ifndef PH_PROBE_PARCEL_H
#define PH_PROBE_PARCEL_H

#include <stddef.h>

#define PH_PARCEL_MAX 9

struct ph_parcel {
    int fds[PH_PARCEL_MAX];
    size_t count;
};

/** ph_parcel_send() - copies, into the queue of @socket's peer. 0 or a negative errno. */
int ph_parcel_send(int socket, const struct ph_parcel *parcel);

/** ph_parcel_receive() - the first in @socket's queue, in new descriptors of the calling thread, CLOEXEC. @flags: MSG_PEEK to leave
 * it there. 0; -EAGAIN if there is none yet, -ENOMSG if no descriptor was left for any of them, another negative errno. */
int ph_parcel_receive(int socket, int flags, struct ph_parcel *ret_parcel);

/** ph_parcel_close() - those that are in a parcel of the caller's. */
void ph_parcel_close(const struct ph_parcel *parcel);

#endif
