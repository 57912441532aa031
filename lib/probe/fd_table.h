/*
 * fd_table.h - a descriptor table of our own, shared by our threads and nobody else.
 *
 * Issue: descriptors in the host's table meet everything the host does with its own: close loops, dup2(), limits; and
 * while a second thread shares that table, the kernel counts references in each of the host's calls: 2 to 3 % of
 * the CPU time of a server that had one thread.
 * Solution: the first thread of ours leaves the table (close_range with CLOSE_RANGE_UNSHARE, Linux 5.9), the others
 * inherit its own. Then no number of the host's is ours.
 * Drawbacks: /proc/PID/fd, and so `ss -p` and lsof, do not show our sockets. What is to happen to our descriptors has to
 * happen on a thread of ours. Where a filter forbids the call, we stay in the host's table, protected by own_fd.h.
 */
#ifndef PH_PROBE_FD_TABLE_H
#define PH_PROBE_FD_TABLE_H

/** ph_fd_table_leave() - give the calling thread, one of ours, a table that holds copies of 0 to 2 and nothing else. */
void ph_fd_table_leave(void);

/** ph_fd_table_settle() - replace the copies of 0 to 2 by nothing: a reader of the host's stderr waits for its end. The
 * calling thread must have left; else nothing happens. */
void ph_fd_table_settle(void);

#endif
