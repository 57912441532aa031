/*
 * real.h - the functions behind the hooks: the next definition after ours, usually libc's.
 *
 * Resolved once, by the constructor or by the first hook that runs before it. Resolving twice at once is harmless:
 * both write the same values. Any thread; not from a signal handler before the constructor has run.
 */
#ifndef PH_PROBE_REAL_H
#define PH_PROBE_REAL_H

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

struct ph_real {
#define HOOK(family, type, name, parameters) type(*name) parameters;
#include "probe/symbols.def"
#undef HOOK
};

extern struct ph_real ph_real_table;
extern bool ph_real_resolved; /* atomic; true once every pointer is written */

void ph_real_resolve(void);

static inline const struct ph_real *ph_real(void)
{
    if (__builtin_expect(!__atomic_load_n(&ph_real_resolved, __ATOMIC_ACQUIRE), 0))
        ph_real_resolve();
    return &ph_real_table;
}

#endif
