/*
 * waits.h - the shape of the hooks of calls that can wait: a forked child of a server wakes (activate.h), the wait is noted (wait.h), and
 * where the system call can be cut short by our signal, it goes on.
 *
 * A call that is told not to wait wakes nobody: waitpid(WNOHANG) is what handlers of SIGCHLD call.
 */
#ifndef PH_PROBE_WAITS_H
#define PH_PROBE_WAITS_H

#include "probe/activate.h"
#include "probe/export.h"
#include "probe/real.h"
#include "probe/wait.h"

/* @again: the call that goes on where one was cut short; it knows the hook's `wait`. */
#define WAITS(condition, type, name, parameters, arguments, atomic, again)                                         \
    PH_EXPORT type name parameters                                                                                 \
    {                                                                                                              \
        if (!(condition))                                                                                          \
            return ph_real()->name arguments;                                                                      \
        ph_wake_to_wait();                                                                                         \
        struct ph_wait wait =                                                                                      \
            ph_wait_begin(__builtin_frame_address(0), (atomic) ? (const void *)ph_real()->name : NULL);            \
        type result = ph_real()->name arguments;                                                                   \
        while (ph_wait_goes_on(&wait, (long)result))                                                               \
            result = (again);                                                                                      \
        ph_wait_end(&wait);                                                                                        \
        return result;                                                                                             \
    }

/* Restarted by the kernel (SA_RESTART), or, where a timeout is set on the socket, here. */
#define WAITS_AGAIN(condition, type, name, parameters, arguments)                                                  \
    WAITS(condition, type, name, parameters, arguments, false, ph_real()->name arguments)

/* By a call that blocks no signal while it waits, but all until it does; see ph_wait_mask(). */
#define WAITS_ATOMICALLY(condition, type, name, parameters, arguments, again)                                      \
    WAITS(condition, type, name, parameters, arguments, true, again)

#endif
