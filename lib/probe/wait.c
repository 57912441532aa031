#include "probe/wait.h"

#include "probe/context.h"
#include "probe/readable.h"
#include "probe/real.h"
#include "probe/signal.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#define KERNEL_SET_BYTES sizeof(uint64_t)

/* What a call may be late: a tick of the coarse clock at either end. */
#define TICK_NS 10000000

/* From a function's first instruction to its system call; and from the hook's frame down to the stack pointer there. */
#define CODE_BYTES  512
#define STACK_BYTES 512

int64_t ph_wait_left_ns(const struct ph_wait *wait, int64_t timeout_ns)
{
    int64_t waited_ns = (int64_t)(ph_wait_clock_ns() - wait->since_ns) - TICK_NS;
    if (waited_ns < 0)
        return timeout_ns;
    return waited_ns < timeout_ns ? timeout_ns - waited_ns : 0;
}

/* If all signals are blocked, no handler has run since, and none will until the call that goes on is inside the kernel. One that is
 * cut short again had them blocked before. */
bool ph_wait_was_cut_short(struct ph_wait *wait)
{
    if (ph_tls.is_masked && !wait->is_masked) {
        wait->mask = ph_tls.mask_before;
        wait->is_masked = true;
    }
    ph_tls.cut_short = ph_tls.is_masked = false;
    return true;
}

bool ph_wait_never_restarts(int fd)
{
    struct stat facts;
    struct timeval timeout = {0, 0};
    socklen_t size = sizeof(timeout);
    int saved_errno = errno;
    bool result =
        fstat(fd, &facts) == 0 &&
        (S_ISREG(facts.st_mode) ||
         (S_ISSOCK(facts.st_mode) && ph_real()->getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, &size) == 0 &&
          (timeout.tv_sec || timeout.tv_usec)));
    errno = saved_errno;
    return result;
}

int ph_wait_held_signal;
static unsigned held_count; /* guarded by held_lock, which only threads of ours take */
static pthread_mutex_t held_lock = PTHREAD_MUTEX_INITIALIZER;

/* A thread notes that it is in such a call, and then looks whether our signal is sent; here it is the other way round. That one of both
 * sees the other takes a barrier on every processor: the kernel makes it, so that the calls need not. */
static void make_seen(void)
{
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0)
        return;
    syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
    syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}

void ph_wait_hold(int number)
{
    pthread_mutex_lock(&held_lock);
    if (held_count++ == 0) {
        __atomic_store_n(&ph_wait_held_signal, number, __ATOMIC_SEQ_CST);
        make_seen();
    }
    pthread_mutex_unlock(&held_lock);
}

void ph_wait_release(void)
{
    pthread_mutex_lock(&held_lock);
    if (--held_count == 0)
        __atomic_store_n(&ph_wait_held_signal, 0, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&held_lock);
}

void ph_wait_forked(void)
{
    held_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    held_count = 0;
    ph_wait_held_signal = 0;
}

static uint64_t held_bit(int number)
{
    return UINT64_C(1) << (number - 1);
}

void ph_wait_block_ours(struct ph_wait *wait)
{
    int number = __atomic_load_n(&ph_wait_held_signal, __ATOMIC_RELAXED);
    uint64_t before = 0, ours = number ? held_bit(number) : 0;
    if (ours && syscall(SYS_rt_sigprocmask, SIG_BLOCK, &ours, &before, KERNEL_SET_BYTES) == 0)
        wait->held = before & ours ? 0 : number;
    ph_tls.holds |= wait->held != 0;
}

void ph_wait_unblock_ours(const struct ph_wait *wait)
{
    int saved_errno = errno;
    uint64_t ours = held_bit(wait->held);
    ph_tls.holds = false;
    syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &ours, NULL, KERNEL_SET_BYTES);
    errno = saved_errno;
}

const sigset_t *ph_wait_held_mask(const struct ph_wait *wait, const sigset_t *given, sigset_t *buffer)
{
    if (!given || !wait->held || !ph_is_readable_sig(given))
        return given;
    sigemptyset(buffer);
    memcpy(buffer, given, KERNEL_SET_BYTES);
    sigaddset(buffer, wait->held);
    return buffer;
}

/* Signals that wait to be delivered once our handler returns: then the call does fail because of them. */
static bool others_wait_sig(uint64_t blocked)
{
    uint64_t pending = 0;
    syscall(SYS_rt_sigpending, &pending, KERNEL_SET_BYTES);
    return (pending & ~blocked & ~ph_signal_bit()) != 0; /* two of ours may come at once: asked, and by a timer */
}

uintptr_t ph_wait_call_sig(const ucontext_t *context, uintptr_t *ret_frame)
{
    uintptr_t call = (uintptr_t)ph_tls.waits_in;
    if (!call || ph_context_pc_sig(context) - call < CODE_BYTES ||
        ph_tls.waits_at - ph_context_sp_sig(context) >= STACK_BYTES)
        return 0;
    *ret_frame = ph_tls.waits_at;
    return call;
}

/* Only where the hook's own call was interrupted: a call that was left by longjmp() has not taken its note back. */
static bool is_in_hook_sig(const ucontext_t *context)
{
    uintptr_t pc = ph_context_pc_sig(context), sp = ph_context_sp_sig(context);
    uintptr_t call = (uintptr_t)ph_tls.waits_in;
    return call && pc - call < CODE_BYTES && ph_tls.waits_at - sp < STACK_BYTES;
}

void ph_wait_interrupted_sig(ucontext_t *context)
{
    uint64_t blocked;
    if (!ph_context_ends_call_sig(context))
        return;
    memcpy(&blocked, &context->uc_sigmask, sizeof(blocked));
    if (others_wait_sig(blocked))
        return;
    ph_tls.cut_short = true;
    if (is_in_hook_sig(context)) {
        ph_tls.mask_before = blocked;
        memset(&context->uc_sigmask, 0xff, sizeof(blocked));
        ph_tls.is_masked = true;
    }
}

const sigset_t *ph_wait_mask(const struct ph_wait *wait, sigset_t *buffer)
{
    sigemptyset(buffer);
    if (wait->is_masked)
        memcpy(buffer, &wait->mask, sizeof(wait->mask));
    else
        syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, buffer, KERNEL_SET_BYTES);
    return buffer;
}

void ph_wait_unmask(const struct ph_wait *wait)
{
    int saved_errno = errno;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &wait->mask, NULL, KERNEL_SET_BYTES);
    errno = saved_errno;
}
