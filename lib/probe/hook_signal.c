/*
 * hook_signal.c - what the host does about signals, where it meets ours (signal.h): all else passes straight through.
 */
#include "probe/calm.h"
#include "probe/export.h"
#include "probe/guard.h"
#include "probe/let_in.h"
#include "probe/readable.h"
#include "probe/real.h"
#include "probe/signal.h"
#include "probe/timers.h"

#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/signalfd.h>

/* What our handler needs besides the kernel's frame, and the host's that it may interrupt. */
#define HANDLERS_BYTES 1024

PH_EXPORT int sigaction(int number, const struct sigaction *action, struct sigaction *before)
{
    if (ph_signal_is_ours(number) && !ph_on_own_thread())
        return ph_signal_action(number, action, before);
    return ph_real()->sigaction(number, action, before);
}

/* @flags: as libc's variants of signal() differ in them. */
static sighandler_t set_handler(int number, sighandler_t handler, int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags}, before;
    sigemptyset(&action.sa_mask);
    if (!(flags & SA_NODEFER))
        sigaddset(&action.sa_mask, number);
    return ph_signal_action(number, &action, &before) < 0 ? SIG_ERR : before.sa_handler;
}

#define SETS_HANDLER(name, flags)                                                                                  \
    PH_EXPORT sighandler_t name(int number, sighandler_t handler)                                                  \
    {                                                                                                              \
        return ph_signal_is_ours(number) ? set_handler(number, handler, flags) : ph_real()->name(number, handler); \
    }

sighandler_t bsd_signal(int number, sighandler_t handler);

SETS_HANDLER(signal, SA_RESTART)
SETS_HANDLER(ssignal, SA_RESTART)
SETS_HANDLER(bsd_signal, SA_RESTART)
SETS_HANDLER(sysv_signal, (int)SA_RESETHAND | SA_NODEFER)
SETS_HANDLER(__sysv_signal, (int)SA_RESETHAND | SA_NODEFER)

PH_EXPORT int signalfd(int fd, const sigset_t *set, int flags)
{
    sigset_t buffer;
    return ph_real()->signalfd(fd, ph_on_own_thread() ? set : ph_signal_for_queue(set, &buffer), flags);
}

#define SETS_MASK(name)                                                                                            \
    PH_EXPORT int name(int how, const sigset_t *set, sigset_t *before)                                             \
    {                                                                                                              \
        int result = ph_real()->name(how, set, before);                                                            \
        if (__builtin_expect(ph_tls.looked_for, 0) && result == 0)                                                 \
            ph_let_in_mask(how, set, before);                                                                      \
        return result;                                                                                             \
    }

SETS_MASK(sigprocmask)
SETS_MASK(pthread_sigmask)

/* One of ours may wait for a thread that blocks it. */
PH_EXPORT int sigpending(sigset_t *set)
{
    int result = ph_real()->sigpending(set);
    if (result == 0)
        ph_signal_hide_pending(set);
    return result;
}

/* The kernel kills the process if the frame of a signal does not fit: a stack that the host has made for small handlers, or for none. Two
 * frames, as a handler of the host's may be on it already when our signal comes. */
static bool is_tiny(const stack_t *stack)
{
    unsigned long frame_bytes = getauxval(AT_MINSIGSTKSZ);
    return !(stack->ss_flags & SS_DISABLE) &&
           stack->ss_size < 2 * (frame_bytes ? frame_bytes : 2048) + HANDLERS_BYTES;
}

static bool is_readable(const stack_t *stack)
{
    return ph_is_readable_sig(&stack->ss_sp) && ph_is_readable_sig(&stack->ss_size);
}

/* With no signal under way: one that waited until the stack is there would not fit, either. */
static int set_tiny(struct ph_thread_slot *slot, const stack_t *stack, stack_t *before)
{
    struct ph_calm calm = ph_calm_begin();
    ph_timers_shun(slot);
    ph_signal_drain();
    int result = ph_real()->sigaltstack(stack, before);
    ph_calm_end(&calm);
    return result;
}

PH_EXPORT int sigaltstack(const stack_t *stack, stack_t *before)
{
    struct ph_thread_slot *slot = ph_tls.slot;
    if (stack && slot && is_readable(stack) && is_tiny(stack))
        return set_tiny(slot, stack, before);
    int result = ph_real()->sigaltstack(stack, before);
    if (stack && slot && result == 0)
        __atomic_store_n(&slot->tiny_signal_stack, false, __ATOMIC_RELEASE);
    return result;
}
