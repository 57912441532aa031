/*
 * credentials.h - the host's thread may have given up capabilities that ours still have.
 *
 * Issue: setuid() and its kin are carried out on every thread, and glibc aborts the process if one gets another answer
 * than the rest (nptl/nptl_setxid.c). Capabilities belong to single threads: after capset() or prctl(PR_SET_KEEPCAPS) on
 * the only thread of a host, ours may get another answer.
 * Solution: such a call is looked at first, and if answers would differ, our threads end before it.
 */
#ifndef PH_PROBE_CREDENTIALS_H
#define PH_PROBE_CREDENTIALS_H

#include <stdbool.h>
#include <sys/types.h>

/** ph_capability_differs() - does the calling thread have @capability (CAP_SETUID, …) in effect and thread @tid not, or the
 * other way round? Asks the kernel; false if it does not tell. Any thread; async-signal-safe. */
bool ph_capability_differs(pid_t tid, unsigned capability);

#endif
