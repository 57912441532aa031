/*
 * apart.h - what our threads do not share with the host: descriptor table, root and working folder.
 *
 * Issue: descriptors in the host's table meet everything the host does with its own: close loops, dup2(), limits; and
 * while a second thread shares that table, the kernel counts references in each of the host's calls: 2 to 3 % of
 * the CPU time of a server that had one thread. A host that changes its root takes /proc and the agent's files away.
 * Solution: the first thread of ours leaves both (close_range with CLOSE_RANGE_UNSHARE, Linux 5.9; unshare(CLONE_FS)), the
 * others inherit what it has. Then no number of the host's is ours, and chroot() does not reach us.
 * Drawbacks: /proc/PID/fd, and so `ss -p` and lsof, do not show our sockets. What is to happen to our descriptors has to
 * happen on a thread of ours. Where a filter forbids the calls, we stay in the host's table, protected by own_fd.h.
 */
#ifndef PH_PROBE_APART_H
#define PH_PROBE_APART_H

/** ph_apart_leave() - give the calling thread, one of ours, a descriptor table that holds copies of 0 to 2 and of @kept (-1:
 * none) and nothing else, and a root and a working folder ("/") of its own. */
void ph_apart_leave(int kept);

/** ph_apart_settle() - replace the copies of 0 to 2 by nothing: a reader of the host's stderr waits for its end. The
 * calling thread must have left; else nothing happens. */
void ph_apart_settle(void);

#endif
