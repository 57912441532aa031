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

/* @first: the call; @again: the call that goes on where one was cut short. They know the hook's `wait`. */
#define WAITS(condition, type, name, parameters, arguments, call, holds, first, may_go_on, again)                  \
    PH_EXPORT type name parameters                                                                                 \
    {                                                                                                              \
        if (!(condition))                                                                                          \
            return ph_real()->name arguments;                                                                      \
        ph_wake_to_wait();                                                                                         \
        struct ph_wait wait = ph_wait_begin(__builtin_frame_address(0), call);                                     \
        if (holds)                                                                                                 \
            ph_wait_hold_off(&wait);                                                                               \
        type result = (first);                                                                                     \
        while (ph_wait_goes_on(&wait, (long)result) && (may_go_on))                                                \
            result = (again);                                                                                      \
        ph_wait_end(&wait);                                                                                        \
        return result;                                                                                             \
    }

/* Restarted by the kernel (SA_RESTART): EINTR is always the host's. */
#define WAITS_RESTARTED(condition, type, name, parameters, arguments)                                              \
    WAITS(condition, type, name, parameters, arguments, NULL, false, ph_real()->name arguments, false,             \
          ph_real()->name arguments)

/* Likewise, but for some files. */
#define WAITS_FOR_INPUT(condition, type, name, parameters, arguments)                                              \
    WAITS(condition, type, name, parameters, arguments, NULL, false, ph_real()->name arguments,                    \
          ph_wait_never_restarts(fd), ph_real()->name arguments)

/* Never restarted by the kernel. */
#define WAITS_AGAIN(condition, type, name, parameters, arguments)                                                  \
    WAITS(condition, type, name, parameters, arguments, NULL, true, ph_real()->name arguments, true,               \
          ph_real()->name arguments)

/* By a call that blocks no signal while it waits, but all until it does; see ph_wait_mask(). */
#define WAITS_ATOMICALLY(condition, type, name, parameters, arguments, first, again)                               \
    WAITS(condition, type, name, parameters, arguments, (const void *)ph_real()->name, true, first, true, again)

#endif
