/* What a program sets and asks about signals; SIGUSR2 ends with its default. */
#include "conformance.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/signalfd.h>
#include <unistd.h>

sighandler_t bsd_signal(int number, sighandler_t handler);
sighandler_t ssignal(int number, sighandler_t handler);
sighandler_t sysv_signal(int number, sighandler_t handler);
sighandler_t __sysv_signal(int number, sighandler_t handler);

static void nothing(int number)
{
    (void)number;
}

/* What is set now: the handler, and the flags without SA_RESTORER. */
static long now_set(void)
{
    struct sigaction now = {.sa_handler = SIG_IGN};
    sigaction(SIGUSR2, NULL, &now);
    signal(SIGUSR2, SIG_DFL);
    return (now.sa_handler == nothing) * 2 + (now.sa_flags & (int)~0x04000000U);
}

CALL(sigaction)
{
    struct sigaction action = {.sa_handler = nothing, .sa_flags = SA_ONSTACK | SA_NODEFER}, before;
    struct outcome seen = outcome(f(way == BAD ? SIGKILL : SIGUSR2, &action, &before));
    seen.value = way == GOOD ? seen.value + now_set() : seen.value;
    return seen;
}

static struct outcome handler_set(sighandler_t (*f)(int number, sighandler_t handler), enum way way)
{
    errno = 0;
    intptr_t before = (intptr_t)f(way == BAD ? -1 : SIGUSR2, nothing);
    struct outcome seen = outcome((long)before);
    seen.value = way == GOOD ? seen.value * 1000 + now_set() : seen.value;
    return seen;
}

#define SETS_HANDLER(name)                                                                                         \
    CALL(name)                                                                                                     \
    {                                                                                                              \
        return handler_set(f, way);                                                                                \
    }

SETS_HANDLER(signal)
SETS_HANDLER(ssignal)
SETS_HANDLER(bsd_signal)
SETS_HANDLER(sysv_signal)
SETS_HANDLER(__sysv_signal)

CALL(sigpending)
{
    sigset_t before, set;
    sigprocmask(SIG_BLOCK, NULL, &before);
    make_pending(SIGUSR1);
    sigfillset(&set);
    struct outcome seen = outcome(f(way == BAD ? (sigset_t *)8 : &set));
    seen.value =
        seen.value * 100 + (way == GOOD ? sigismember(&set, SIGUSR1) * 10 + sigismember(&set, SIGUSR2) : 0);
    signal(SIGUSR1, SIG_IGN);
    sigprocmask(SIG_SETMASK, &before, NULL);
    signal(SIGUSR1, SIG_DFL);
    return seen;
}

CALL(signalfd)
{
    sigset_t before, set;
    struct signalfd_siginfo info = {.ssi_signo = 0};
    sigprocmask(SIG_BLOCK, NULL, &before);
    make_pending(SIGUSR1);
    sigfillset(&set);
    int fd = f(-1, &set, way == BAD ? -1 : SFD_NONBLOCK);
    struct outcome seen = outcome(fd < 0);
    if (fd >= 0 && read(fd, &info, sizeof(info)) > 0)
        seen.value = info.ssi_signo;
    if (fd >= 0)
        discard(fd);
    signal(SIGUSR1, SIG_IGN);
    sigprocmask(SIG_SETMASK, &before, NULL);
    signal(SIGUSR1, SIG_DFL);
    return seen;
}

static struct outcome set_mask(int (*f)(int, const sigset_t *, sigset_t *), enum way way)
{
    sigset_t before, set, now;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    struct outcome seen = outcome(f(way == BAD ? 99 : SIG_BLOCK, &set, &before));
    f(SIG_BLOCK, NULL, &now);
    if (way == GOOD) {
        seen.value = seen.value * 100 + sigismember(&before, SIGUSR2) * 10 + sigismember(&now, SIGUSR2);
        f(SIG_SETMASK, &before, NULL);
    }
    return seen;
}

CALL(sigprocmask)
{
    return set_mask(f, way);
}

CALL(pthread_sigmask)
{
    return set_mask(f, way);
}

CALL(sigaltstack)
{
    static char memory[1 << 16];
    stack_t before, now, stack = {.ss_sp = memory, .ss_size = way == BAD ? 100 : sizeof(memory)};
    sigaltstack(NULL, &before);
    struct outcome seen = outcome(f(&stack, NULL));
    sigaltstack(NULL, &now);
    seen.value = seen.value * 10 + (now.ss_size == sizeof(memory));
    sigaltstack(&before, NULL);
    return seen;
}
