/*
 * calm.h - a stretch of our code on a thread of the host that nothing may cut in two.
 *
 * Issue: a handler of the host that runs in the midst of it may fork, allocate or leave by siglongjmp(), and cancellation would end
 * the thread there, with what it holds.
 * Solution: both wait until it is over. Not the signal by which glibc has setuid() done on all threads: its caller waits for it.
 */
#ifndef PH_PROBE_CALM_H
#define PH_PROBE_CALM_H

#include <stdint.h>

/* What it was like before. */
struct ph_calm {
    uint64_t blocked; /* signals, as the kernel writes them */
    int cancel_state;
};

/** ph_calm_begin(), ph_calm_end() - on one thread. The end may run handlers of the host, or end the thread: they find it
 * as if it were not in our code. Both keep errno. */
struct ph_calm ph_calm_begin(void);
void ph_calm_end(const struct ph_calm *calm);

#endif
