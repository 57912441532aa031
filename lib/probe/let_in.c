#include "probe/let_in.h"

#include "probe/backtrace.h"
#include "probe/thread_table.h"

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAIN_STACK_BYTES ((uintptr_t)1 << 20) /* of which something is used, for sure */
#define STACK_LEFT_BYTES 16384                /* for the kernel's frame and our handler: some 6 KiB */

static uint64_t bit_of(int number)
{
    return UINT64_C(1) << (number - 1);
}

static void change(int how, int number)
{
    uint64_t set = bit_of(number);
    syscall(SYS_rt_sigprocmask, how, &set, NULL, sizeof(set));
}

/* A child of vfork() has its parent's memory, but a mask of its own. */
static bool is_self(const struct ph_thread_slot *slot)
{
    return slot && slot->record.tid == gettid();
}

/* A coroutine's stack may be too small for a signal, and that may be why all are blocked: who has waited on one is left alone for good. The
 * low end of the main thread's stack is not known. */
static bool has_room(const struct ph_thread_slot *slot)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0), high = slot->record.stack_high;
    uintptr_t low = slot->record.stack_low ? slot->record.stack_low : high - MAIN_STACK_BYTES;
    ph_tls.switches_stacks |= here < low || here >= high;
    return !ph_tls.switches_stacks && !__atomic_load_n(&slot->tiny_signal_stack, __ATOMIC_RELAXED) &&
           here >= low + STACK_LEFT_BYTES;
}

static bool is_blocked(int number)
{
    uint64_t now = 0;
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &now, sizeof(now));
    return now & bit_of(number);
}

/* What a handler finds blocked was blocked for it, and is what it was when it returns. */
static void look(int number)
{
    bool lets_in = number && is_blocked(number);
    if ((lets_in || ph_tls.let_in) && ph_may_be_in_handler(lets_in))
        return;
    if (ph_tls.let_in)
        change(SIG_BLOCK, ph_tls.let_in);
    if (lets_in)
        change(SIG_UNBLOCK, number);
    ph_tls.let_in = lets_in ? number : 0;
    ph_tls.looked_for = number;
}

void ph_let_in(int number)
{
    const struct ph_thread_slot *slot = ph_tls.slot;
    if (ph_tls.own || ph_tls.holds || !is_self(slot))
        return;
    int saved_errno = errno;
    look(number && has_room(slot) ? number : 0);
    if (ph_tls.switches_stacks)
        ph_tls.looked_for = number;
    errno = saved_errno;
}

void ph_let_in_mask(int how, const sigset_t *set, sigset_t *before)
{
    int number = ph_tls.let_in;
    if (!is_self(ph_tls.slot))
        return;
    bool is_named = set && (how == SIG_SETMASK || (number && sigismember(set, number) == 1));
    if (number && before)
        sigaddset(before, number);
    if (is_named && !(number && ph_may_be_in_handler(false))) /* a handler's return makes the mask what it was */
        ph_tls.let_in = ph_tls.looked_for = 0;
}
