/*
 * heir.h - the one descriptor that forked children find in their table: it keeps the listening sockets for them.
 *
 * Issue: our threads have a descriptor table of their own (apart.h), so that fork() copies nothing of ours. But a daemon's
 * first process listens and is gone before its child has run a line; the port must not close in between.
 * Solution: one end of a socketpair. The sockets wait in its receive queue, as a message with SCM_RIGHTS, and MSG_PEEK copies them
 * out as often as it is asked for (unix_peek_fds() in Linux). Queue, sender and sockets live as long as any process has the end;
 * exec closes it. The sender is in the message, too: so any heir can replace it. It lies in our table; the first fork()
 * of the host puts a copy into the host's (handover.h), so a host that never forks has none.
 * Drawback: of a host that forks, one number, 512 or above: hook_fd.c defends it. A dup2() onto it moves it away.
 */
#ifndef PH_PROBE_HEIR_H
#define PH_PROBE_HEIR_H

#include <stdbool.h>
#include <stddef.h>

#define PH_HEIR_NONE (-1)

/** ph_heir_fd() - its number in the host's table; PH_HEIR_NONE without one. Not checked: what a child inherited. */
int ph_heir_fd(void);

/** ph_heir_is() - is @fd, in the calling thread's table, the heir, by number and by identity? Async-signal-safe; one comparison
 * for any other number. */
bool ph_heir_is(int fd);

/** ph_heir_move() - the host wants the number: to another one. False if there is none left. Async-signal-safe. */
bool ph_heir_move(void);

/** ph_heir_find() - on our first thread while it is in the host's table: what an earlier fork() has put there, or has let this
 * process inherit; PH_HEIR_NONE, from now on, if it is not there any more. */
int ph_heir_find(void);

/** ph_heir_keep() - on our first thread once it has left the host's table with a copy of what ph_heir_find() found: it is in use
 * from now on; without one, a new one is made. Where our threads could not leave, that lies in the host's table at once. */
void ph_heir_keep(void);

/** ph_heir_own_fd() - its number in our table; PH_HEIR_NONE where there is none, or no such table. */
int ph_heir_own_fd(void);

/** ph_heir_adopt() - on a thread of the host: @fd, taken, was handed over as a copy. It gets a number where the host's are
 * not. False, and @fd closed, if it is something else. */
bool ph_heir_adopt(int fd);

/** ph_bequeath(), ph_inherit() - as in probe.h; on threads of ours. -EBADF without an heir. */
int ph_bequeath(const int *fds, size_t count);
size_t ph_inherit(int *ret_fds, size_t capacity);

#endif
