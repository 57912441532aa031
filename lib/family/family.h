/*
 * family.h - this process among those that were forked from the same server: one port, one front, many members.
 *
 * The first process that opens a window founds the family; a forked child joins when it wakes. Each member serves
 * @porthole/PID; the front also serves the family's TCP port (or socket file), whose listening sockets every member has
 * inherited. All calls on threads of ours; one thread at a time unless said otherwise.
 */
#ifndef PH_FAMILY_FAMILY_H
#define PH_FAMILY_FAMILY_H

#include "family/beacon.h"
#include "family/segment.h"
#include "probe/probe.h"

#include <stdbool.h>
#include <stddef.h>

/* Requests of members to one another carry the key of the family in the one, and their answers the pid of who answers in the
 * other: a program that has the pid now and is not of this family (an exec'ed one has its own Porthole) sends none. */
#define PH_FAMILY_HEADER        "Porthole-Family"
#define PH_FAMILY_MEMBER_HEADER "Porthole-Member"

struct ph_family;

/** ph_family_enter() - on a thread that lives until ph_family_leave(): found a family, or join the one this process was forked into (also after a fork of a process that
 * had not joined). 0; a negative errno with @error. */
int ph_family_enter(const struct ph_probe *probe, struct ph_family **ret_family, struct ph_error *error);

/** ph_family_is_founder() - has this process founded it (and so has to open the port)? */
bool ph_family_is_founder(const struct ph_family *family);

/** ph_family_elect() - become the front if there is none. True if this process is the front now. Else call it again whenever
 * ph_family_watch_fd() is readable: the front may have gone. */
bool ph_family_elect(struct ph_family *family);
int ph_family_watch_fd(const struct ph_family *family); /* -1 for the front itself */

/** ph_family_beacon() - what the front holds, to be polled and answered (beacon.h); its fd is -1 for others. */
struct ph_beacon *ph_family_beacon(struct ph_family *family);

/** ph_family_is_front() - any thread. */
bool ph_family_is_front(const struct ph_family *family);

/** ph_family_segment() - any thread. */
struct ph_segment *ph_family_segment(const struct ph_family *family);

/** ph_family_resign() - be no front any more, now or later: another one follows at once. Closes descriptors. */
void ph_family_resign(struct ph_family *family);

/** ph_family_leave() - the window of this process is closed. On the thread that entered; after ph_family_resign(). */
void ph_family_leave(struct ph_family *family);

/** ph_family_free() - any thread, the last that knows it. NULL is fine. */
void ph_family_free(struct ph_family *family);

/** ph_family_forked() - in a forked child, on its one thread, with nothing of ours open: keep what is shared, forget what
 * was the parent's. Async-signal-safe: no lock, no allocation. */
void ph_family_forked(void);

#endif
