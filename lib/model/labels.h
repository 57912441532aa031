/* labels.h - the labels of samples that tell whose memory it is; the names are part of the contract. All are texts. */
#ifndef PH_MODEL_LABELS_H
#define PH_MODEL_LABELS_H

#define PH_LABEL_PID       "pid"       /* the process that holds it; only where a profile covers several */
#define PH_LABEL_ORIGIN    "origin"    /* PH_LABEL_INHERITED, or not there */
#define PH_LABEL_INHERITED "inherited" /* allocated by an ancestor before it forked */

/* Which process took the sample, in decimal; "0" for the founder of a family. On every sample of the form that members send
 * one another, and nowhere else. */
#define PH_LABEL_ORIGIN_PID "origin_pid"

/* Of samples of threads: CPU and wall profiles have the first three, a thread dump has all that it knows. What the program has set
 * itself (porthole_label_set()) stands beside them; it cannot use these keys. */
#define PH_LABEL_THREAD "thread" /* its name */
#define PH_LABEL_TID    "tid"    /* number */
#define PH_LABEL_STATE  "state"  /* "running", "sleeping", "disk", "stopped", "ended", "unanswered" */

#define PH_LABEL_CPU         "cpu"         /* number, nanoseconds: that it has used since it began */
#define PH_LABEL_CALL        "call"        /* the system call it waits in: "epoll_wait" */
#define PH_LABEL_FD          "fd"          /* number: the descriptor that call is about */
#define PH_LABEL_SOCKET      "socket"      /* what that is: "tcp 127.0.0.1:80", "pipe", "/var/log/x" */
#define PH_LABEL_PEER        "peer"        /* the other end of a socket */
#define PH_LABEL_MUTEX       "mutex"       /* its address: "0x7f…" */
#define PH_LABEL_OWNER_TID   "owner_tid"   /* number: the thread that holds the mutex */
#define PH_LABEL_SINCE       "since"       /* number, nanoseconds: how long it has waited */
#define PH_LABEL_TRUNCATED   "truncated"   /* why its stack is not complete */
#define PH_LABEL_INTERRUPTED "interrupted" /* number 1: a signal was sent to it */

#endif
