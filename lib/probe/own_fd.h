/*
 * own_fd.h - which descriptors in the host's table are ours, so that its "close everything" does not meet them.
 *
 * Few: our threads have a table of their own (apart.h). Here are what a call of the public API opens on a thread of
 * the host, and everything where the kernel or a filter denies us the table.
 *
 * A bitmap: looked up in every close() of the host, so without lock and without loop. Async-signal-safe throughout.
 */
#ifndef PH_PROBE_OWN_FD_H
#define PH_PROBE_OWN_FD_H

#include <stdbool.h>

#define PH_OWN_FD_NONE (-1)

/** ph_own_fd_take() - make @fd ours: to 512 or above where the limit allows (never 0 to 2), CLOEXEC, protected.
 * The new number; @fd itself on a thread that has a table of its own, or, perhaps unprotected and counted, where that
 * fails. */
int ph_own_fd_take(int fd);

/** ph_fd_raise() - the first half of that: to a number where the host's are not, CLOEXEC. */
int ph_fd_raise(int fd);

/** ph_own_fd_has() - is @fd ours? Only in the process that took it: in a child made by a bare clone() nothing is. */
bool ph_own_fd_has(int fd);

/** ph_own_fd_drop() - @fd is about to be closed by us. */
void ph_own_fd_drop(int fd);

/** ph_own_fd_next() - the first of ours at @from or above, PH_OWN_FD_NONE if there is none. */
int ph_own_fd_next(int from);

/** ph_own_fd_before_fork() - in the process that forks. ph_own_fd_after_fork() - in the child: close the copies of our
 * descriptors and forget them; close nothing if they were not the parent's either, which a bare clone() had made. */
void ph_own_fd_before_fork(void);
void ph_own_fd_after_fork(void);

#endif
