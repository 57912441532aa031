#include "probe/signal.h"

#include "probe/capture.h"
#include "probe/context.h"
#include "probe/guard.h"
#include "probe/readable.h"
#include "probe/real.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define MAGIC        UINT64_C(0x506f7274) /* in the upper half of the value that travels with a signal of ours */
#define SIGNALS      65
#define DRAIN_MAX    64
#define STATUS_BYTES 4096
#define SWEEP        16 /* real-time signals in a set that was not meant to name any */

/* What the host believes about a number of ours. Written by sigaction(), which a handler may interrupt and call itself: so it is
 * written beside and then pointed to. */
struct belief {
    struct sigaction actions[2];
    uint32_t current; /* atomic */
};

static struct belief beliefs[SIGNALS];
static uint64_t ours;     /* atomic: bit n - 1: number n is, or was, ours */
static uint64_t named;    /* atomic: likewise those that the host has a signalfd() for */
static int current;       /* atomic: the number in use; 0: none was chosen yet, or the host wants it */
static int wished_number; /* by option */

void ph_signal_init(int wished)
{
    wished_number = wished;
}

bool ph_signal_is_ours(int number)
{
    return number > 0 && number < SIGNALS && (__atomic_load_n(&ours, __ATOMIC_RELAXED) >> (number - 1) & 1);
}

uint64_t ph_signal_bit(void)
{
    int number = __atomic_load_n(&current, __ATOMIC_RELAXED);
    return number ? UINT64_C(1) << (number - 1) : 0;
}

union sigval ph_signal_value(uint32_t payload)
{
    return (union sigval){.sival_ptr = (void *)(uintptr_t)(MAGIC << 32 | payload)};
}

/* ---- Handing on what is not ours ---- */

static struct sigaction believed(int number)
{
    const struct belief *belief = &beliefs[number];
    return belief->actions[__atomic_load_n(&belief->current, __ATOMIC_ACQUIRE) % 2];
}

/* What the default does: it ends the process. */
static void end_by(int number)
{
    struct sigaction preset = {.sa_handler = SIG_DFL};
    sigset_t set;
    ph_real()->sigaction(number, &preset, NULL);
    syscall(SYS_tgkill, getpid(), gettid(), number);
    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void hand_on(int number, siginfo_t *info, void *context)
{
    struct sigaction action = believed(number);
    if (action.sa_handler == SIG_IGN)
        return;
    if (action.sa_handler == SIG_DFL) {
        end_by(number);
        return;
    }
    if (action.sa_flags & SA_RESETHAND) {
        struct sigaction preset = {.sa_handler = SIG_DFL};
        ph_signal_action(number, &preset, NULL);
    }
    sigset_t mask = ((const ucontext_t *)context)->uc_sigmask;
    sigorset(&mask, &mask, &action.sa_mask);
    if (!(action.sa_flags & SA_NODEFER))
        sigaddset(&mask, number);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    if (action.sa_flags & SA_SIGINFO)
        action.sa_sigaction(number, info, context);
    else
        action.sa_handler(number);
}

/* The host's, on a thread that it blocks for: it is for another one, or for sigwait(). As it was, and the mask as the host has set it. */
static void put_back(int number, siginfo_t *info, ucontext_t *context)
{
    uint64_t mask;
    memcpy(&mask, &context->uc_sigmask, sizeof(mask));
    mask |= UINT64_C(1) << (number - 1);
    memcpy(&context->uc_sigmask, &mask, sizeof(mask));
    ph_tls.let_in = ph_tls.looked_for = 0;
    if (info->si_code == SI_TKILL)
        syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), number, info);
    else if (syscall(SYS_rt_sigqueueinfo, getpid(), number, info) < 0)
        kill(getpid(), number); /* only the main thread may say whom else a kill() is from */
}

bool ph_signal_is_own(const siginfo_t *info)
{
    return (info->si_code == SI_TIMER || info->si_code == SI_QUEUE) &&
           (uint64_t)(uintptr_t)info->si_value.sival_ptr >> 32 == MAGIC;
}

static void handle(int number, siginfo_t *info, void *context)
{
    int saved_errno = errno;
    if (ph_signal_is_own(info))
        ph_capture_sig((uint32_t)(uintptr_t)info->si_value.sival_ptr, info, context);
    else if (ph_tls.let_in == number)
        put_back(number, info, context);
    else
        hand_on(number, info, context);
    errno = saved_errno;
}

/* ---- Having it ---- */

/* Like the host's, a handler without SA_RESTART makes calls fail with EINTR. */
static int install(int number, int host_flags)
{
    struct sigaction action = {.sa_sigaction = handle,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | (host_flags & SA_RESTART)};
    /* Also those of libc, which sigfillset() leaves out: a thread that was cancelled in the handler would never give back its slot. */
    memset(&action.sa_mask, 0xff, sizeof(action.sa_mask));
    return ph_real()->sigaction(number, &action, NULL) < 0 ? -errno : 0;
}

static bool is_free(int number)
{
    struct sigaction now;
    if (__atomic_load_n(&named, __ATOMIC_RELAXED) >> (number - 1) & 1)
        return false;
    if (ph_signal_is_ours(number))
        return believed(number).sa_handler == SIG_DFL;
    return ph_real()->sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_DFL;
}

static int take(int number)
{
    if (!ph_signal_is_ours(number)) {
        beliefs[number] = (struct belief){{{.sa_handler = SIG_DFL}, {.sa_handler = SIG_DFL}}, 0};
        __atomic_fetch_or(&ours, UINT64_C(1) << (number - 1), __ATOMIC_ACQ_REL);
    }
    int result = install(number, SA_RESTART);
    __atomic_store_n(&current, result < 0 ? 0 : number, __ATOMIC_RELEASE);
    return result < 0 ? result : number;
}

/* From the top but one: programs count up from SIGRTMIN, and the very last is a favourite, too. */
static int first_free(void)
{
    if (wished_number)
        return is_free(wished_number) ? wished_number : -ENOSPC;
    for (int number = SIGRTMAX - 1; number > SIGRTMIN; number--)
        if (is_free(number))
            return number;
    return -ENOSPC;
}

int ph_signal_acquire(void)
{
    int number = __atomic_load_n(&current, __ATOMIC_ACQUIRE);
    if (number && ph_signal_holds())
        return number;
    number = first_free();
    return number < 0 ? number : take(number);
}

bool ph_signal_holds(void)
{
    struct sigaction now;
    int number = __atomic_load_n(&current, __ATOMIC_ACQUIRE);
    return number && ph_real()->sigaction(number, NULL, &now) == 0 && now.sa_sigaction == handle;
}

int ph_signal_action(int number, const struct sigaction *action, struct sigaction *ret_before)
{
    struct belief *belief = &beliefs[number];
    struct sigaction before = believed(number);
    if (action) {
        uint32_t next = __atomic_load_n(&belief->current, __ATOMIC_RELAXED) + 1;
        bool is_wanted = action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN;
        belief->actions[next % 2] = *action;
        __atomic_store_n(&belief->current, next, __ATOMIC_RELEASE);
        if (is_wanted && __atomic_load_n(&current, __ATOMIC_RELAXED) == number)
            __atomic_store_n(&current, 0, __ATOMIC_RELAXED);
        install(number, is_wanted ? action->sa_flags : SA_RESTART);
    }
    if (ret_before)
        *ret_before = before;
    return 0;
}

static bool sweeps(const sigset_t *set)
{
    int count = 0;
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
        count += sigismember(set, number) == 1;
    return count >= SWEEP;
}

static void leave_to_host(const sigset_t *set)
{
    uint64_t numbers;
    int number = __atomic_load_n(&current, __ATOMIC_ACQUIRE);
    memcpy(&numbers, set, sizeof(numbers));
    __atomic_fetch_or(&named, numbers, __ATOMIC_RELAXED);
    if (number && sigismember(set, number) == 1)
        __atomic_store_n(&current, 0, __ATOMIC_RELAXED);
}

/* As long as none was chosen, it is the one that would be. */
const sigset_t *ph_signal_for_queue(const sigset_t *set, sigset_t *buffer)
{
    int number = __atomic_load_n(&current, __ATOMIC_ACQUIRE);
    if (!set || !ph_is_readable_sig(set))
        return set;
    if (!sweeps(set)) {
        leave_to_host(set);
        return set;
    }
    if (!number)
        number = first_free();
    sigemptyset(buffer);
    memcpy(buffer, set, sizeof(uint64_t)); /* what the kernel reads */
    if (number > 0)
        sigdelset(buffer, number);
    return buffer;
}

/* Only if the host knows nothing of the number: else one of its own may wait, too. */
void ph_signal_hide_pending(sigset_t *pending)
{
    int number = __atomic_load_n(&current, __ATOMIC_ACQUIRE);
    if (number && believed(number).sa_handler == SIG_DFL)
        sigdelset(pending, number);
}

void ph_signal_drain(void)
{
    const struct timespec at_once = {0, 0};
    sigset_t set;
    int number = __atomic_load_n(&current, __ATOMIC_ACQUIRE);
    sigemptyset(&set);
    if (!number)
        return;
    sigaddset(&set, number);
    for (int i = 0; i < DRAIN_MAX; i++)
        if (syscall(SYS_rt_sigtimedwait, &set, NULL, &at_once, sizeof(uint64_t)) < 0)
            break;
}

int ph_signal_send(int number, pid_t tid, uint32_t payload)
{
    siginfo_t info = {.si_signo = number, .si_code = SI_QUEUE};
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value = ph_signal_value(payload);
    return syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, number, &info) < 0 ? -errno : 0;
}

/* A line of a file in /proc; NULL if the kernel does not tell. */
static const char *find_status(const char *path, const char *line, char *text, size_t capacity)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = fd < 0 ? -1 : read(fd, text, capacity - 1);
    if (fd >= 0)
        close(fd);
    text[count < 0 ? 0 : count] = '\0';
    const char *found = strstr(text, line);
    return found ? found + strlen(line) : NULL;
}

bool ph_signal_is_blocked(int number, pid_t tid)
{
    char path[48], text[STATUS_BYTES];
    snprintf(path, sizeof(path), "/proc/self/task/%d/status", (int)tid);
    const char *blocked = find_status(path, "\nSigBlk:", text, sizeof(text));
    return blocked && strtoull(blocked, NULL, 16) >> (number - 1) & 1;
}

uint32_t ph_signal_queue_left(void)
{
    char text[STATUS_BYTES];
    unsigned long queued, limit;
    const char *counts = find_status("/proc/self/status", "\nSigQ:", text, sizeof(text));
    if (!counts || sscanf(counts, "%lu/%lu", &queued, &limit) != 2 || limit > INT32_MAX)
        return INT32_MAX;
    return limit > queued ? (uint32_t)(limit - queued) : 0;
}
