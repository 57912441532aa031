/*
 * let_in.h - threads of the host that block all signals, and are to be profiled nevertheless.
 *
 * Issue: workers of Apache, and haproxy's threads but the first, block all signals for good. A profile would not have them.
 * Solution: whenever a thread has waited, it looks whether our signal is sent, and takes that one number out of what it blocks; when it
 * is sent no longer, puts it back. What the host reads of its mask, and gives to threads and to children of fork(), is what it has set; a
 * signal of its own with that number is put back (signal.c).
 */
#ifndef PH_PROBE_LET_IN_H
#define PH_PROBE_LET_IN_H

#include "probe/guard.h"

#include <signal.h>

/** ph_let_in() - the calling thread is to let in signal @number, and what it has let in before no longer; 0: none. Keeps errno.
 * Nothing is changed on a thread of ours, on a stack that is not the thread's own or has little left, and in a handler of the host: then
 * the next call looks again. */
void ph_let_in(int number);

/** ph_let_in_no_more() - the mask is what the host has set, until the thread has waited again. */
static inline void ph_let_in_no_more(void)
{
    if (__builtin_expect(ph_tls.looked_for, 0))
        ph_let_in(0);
}

/** ph_let_in_mask() - the host has set its mask by @how and @set (NULL: it has not); @before, if it asked, becomes what it had set before. */
void ph_let_in_mask(int how, const sigset_t *set, sigset_t *before);

#endif
