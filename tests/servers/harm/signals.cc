/* signals.cc - modes that use signals in every way there is. */
#include "harm.h"

#include <cerrno>
#include <csetjmp>
#include <cstring>
#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* ---- replaced: one after the other, each real-time signal is the host's own ---- */

static thread_local volatile sig_atomic_t replaced_count;
static thread_local volatile int replaced_value;
static thread_local uint64_t mask_in_handler;

static void take_replaced(int, siginfo_t *info, void *)
{
    replaced_count = replaced_count + 1;
    replaced_value = info->si_value.sival_int;
    mask_in_handler = mask_now();
}

static void send_self(int number, int value)
{
    union sigval with = {.sival_int = value};
    expect(pthread_sigqueue(pthread_self(), number, with) == 0, "pthread_sigqueue");
}

static void replace(int number, int value)
{
    struct sigaction mine = {}, preset = {}, before;
    mine.sa_sigaction = take_replaced;
    mine.sa_flags = SA_SIGINFO | (value % 2 ? SA_RESTART : 0);
    sigaddset(&mine.sa_mask, SIGUSR2);
    preset.sa_handler = SIG_DFL;
    replaced_count = 0;
    uint64_t mask = mask_now();
    expect(sigaction(number, &mine, &before) == 0 && before.sa_handler == SIG_DFL, "no handler but the host's own");
    send_self(number, value);
    expect(replaced_count == 1 && replaced_value == value, "a signal comes once");
    expect(mask_in_handler == (mask | words_of(&mine.sa_mask) | UINT64_C(1) << (number - 1)),
           "a handler's mask is what it was to be");
    expect(mask_now() == mask, "the mask after a handler");
    burn(20000);
    expect(sigaction(number, nullptr, &before) == 0 && before.sa_sigaction == take_replaced &&
               (before.sa_flags & ~0x04000000) == mine.sa_flags,
           "the host's handler stays");
    expect(signal(number, SIG_IGN) != SIG_ERR, "signal");
    send_self(number, value);
    expect(replaced_count == 1, "what is ignored does not come");
    expect(sigaction(number, &preset, &before) == 0 && before.sa_handler == SIG_IGN, "what signal() has set");
}

static void replace_all()
{
    for (int value = 0; !stop; value++) {
        for (int number = SIGRTMIN + 4; number <= SIGRTMAX; number++)
            replace(number, value);
        done();
        usleep(5000);
    }
}

/* ---- replaced-raw: past the hooks; what is under way for us then is the host's, and the calls that it ends (doc/limits.md) ---- */

static std::atomic<unsigned long> stranger_count;

static void take_raw(int, siginfo_t *info, void *)
{
    if (info->si_code == SI_TIMER || info->si_value.sival_int != 4711)
        stranger_count++;
    else
        replaced_count = replaced_count + 1;
}

static void replace_raw()
{
    typedef int action_function(int, const struct sigaction *, struct sigaction *);
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    action_function *change = reinterpret_cast<action_function *>(dlsym(libc, "sigaction"));
    struct sigaction mine = {}, before;
    mine.sa_sigaction = take_raw;
    mine.sa_flags = SA_SIGINFO | SA_RESTART;
    while (!stop) {
        for (int number = SIGRTMIN + 4; number <= SIGRTMAX; number++) {
            expect(change(number, &mine, &before) == 0, "sigaction");
            replaced_count = 0;
            send_self(number, 4711);
            burn(100000);
            usleep(2000);
            expect(replaced_count == 1, "a signal comes once");
            expect(change(number, &before, nullptr) == 0, "sigaction");
        }
        done();
        usleep(20000);
    }
    note("signals of Porthole that its own handler got", stranger_count);
}

/* ---- all-signals: a handler for each ---- */

static thread_local volatile int last_number;

static void take_any(int number, siginfo_t *info, void *)
{
    last_number = info->si_signo == number ? number : -1;
}

static bool is_for_all(int number)
{
    return number != SIGKILL && number != SIGSTOP && number != 32 && number != 33 && number != SIGUSR1 &&
           number != SIGRTMIN + 3; /* the witnesses' */
}

static void take_all()
{
    for (int number = 1; number <= SIGRTMAX; number++)
        if (is_for_all(number))
            handle(number, take_any, SA_RESTART, number % 2);
}

static void send_all()
{
    while (!stop) {
        for (int number = 1; number <= SIGRTMAX; number++) {
            struct sigaction now;
            if (!is_for_all(number))
                continue;
            last_number = 0;
            if (pthread_kill(pthread_self(), number) != 0 || last_number != number)
                broken("signal %d comes as %d", number, last_number);
            expect(sigaction(number, nullptr, &now) == 0 && now.sa_sigaction == take_any, "each handler stays");
        }
        burn(100000);
        done();
    }
}

/* ---- jump: handlers that are left, calls that wait for signals ---- */

static thread_local sigjmp_buf way_out;
static Pestered jumping, suspended;

static void leave(int, siginfo_t *, void *)
{
    burn(20000);
    jumping.taken++;
    siglongjmp(way_out, 1);
}

static int send_leave(const Pestered *pestered, unsigned)
{
    return pthread_kill(pestered->target, SIGUSR2);
}

static void jump_out_of_calls()
{
    uint64_t before = mask_now();
    if (sigsetjmp(way_out, 1) == 0) {
        jumping.target = pthread_self();
        jumping.is_ready = true;
    }
    for (static volatile int i = 0; !stop; i = i + 1) {
        if (sigsetjmp(way_out, 1) == 0)
            for (int rounds = 0; rounds < 10; rounds++)
                i % 2 ? poll(nullptr, 0, 5) : usleep(5000);
        expect(mask_now() == before, "the mask after siglongjmp()");
        if (sigsetjmp(way_out, 1) == 0)
            burn(1000);
        done();
    }
    sigsetjmp(way_out, 1);
    end_pestered(&jumping);
}

static void pester_jumping()
{
    pester(&jumping, send_leave);
}

/* A handler that waits by itself, with all signals blocked. */
static void work_long(int, siginfo_t *, void *)
{
    int saved_errno = errno;
    struct timespec moment = {0, 100000};
    expect(nanosleep(&moment, nullptr) == 0, "nanosleep in a handler");
    expect(poll(nullptr, 0, 1) == 0, "poll in a handler");
    burn(200000);
    suspended.taken++;
    errno = saved_errno;
}

static int send_suspended(const Pestered *pestered, unsigned)
{
    return pthread_kill(pestered->target, SIGVTALRM);
}

/* As nginx's master and Apache do: blocked but while it waits. Each signal ends a call. Only the first one of a thread since a profile began may
 * go on after a handler (doc/limits.md). */
static void suspend()
{
    struct timespec patience = {5, 0};
    unsigned long gone_on = 0;
    sigset_t none, one;
    sigemptyset(&none);
    sigemptyset(&one);
    sigaddset(&one, SIGVTALRM);
    pthread_sigmask(SIG_BLOCK, &one, nullptr);
    uint64_t mask = mask_now();
    suspended.target = pthread_self();
    suspended.is_ready = true;
    while (!stop) {
        unsigned before = suspended.taken;
        expect(sigsuspend(&none) < 0 && errno == EINTR, "sigsuspend");
        gone_on += suspended.taken - before - 1;
        expect(suspended.taken != before, "sigsuspend() returns after a handler only");
        before = suspended.taken;
        int result = ppoll(nullptr, 0, &patience, &none);
        expect(result == 0 || errno == EINTR, "ppoll");
        expect(result == 0 || suspended.taken != before, "ppoll() is interrupted by a handler only");
        gone_on += suspended.taken - before - (result < 0);
        expect(mask_now() == mask, "the mask after calls that wait for signals");
        done();
    }
    pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
    end_pestered(&suspended);
    note("calls that went on after a handler of the host's", gone_on);
    expect(gone_on <= 2, "a signal of the host's own ends the call it interrupts");
}

static void pester_suspended()
{
    pester(&suspended, send_suspended);
}

static void prepare_jumps()
{
    handle(SIGUSR2, leave, 0, true);
    handle(SIGVTALRM, work_long, 0, true);
}

/* ---- no-queue: RLIMIT_SIGPENDING is 0: no timers, no values with signals ---- */

static void forbid_queue()
{
    struct rlimit limit = {0, 0};
    prepare_witnesses();
    expect(setrlimit(RLIMIT_SIGPENDING, &limit) == 0, "setrlimit");
}

static void work_without_queue()
{
    while (!stop) {
        union sigval with = {.sival_int = 1};
        timer_t timer;
        struct sigevent event = {};
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = SIGUSR2;
        burn(300000);
        expect(pthread_sigqueue(pthread_self(), SIGRTMIN + 5, with) == EAGAIN, "no queue is no queue");
        expect(timer_create(CLOCK_MONOTONIC, &event, &timer) < 0 && errno == EAGAIN, "no timer is no timer");
        done();
    }
}

std::vector<Mode> signal_modes()
{
    return {
        {"replaced", prepare_witnesses, both(witnesses(), {{"replace", replace_all, 1}})},
        {"replaced-raw", nullptr, both(state_witnesses(), {{"replace", replace_raw, 1}})},
        {"all-signals",
         [] {
             prepare_witnesses();
             take_all();
         },
         both(witnesses(), {{"all-signals", send_all, 1}})},
        {"jump",
         [] {
             prepare_witnesses();
             prepare_jumps();
         },
         both(witnesses(), {{"jump", jump_out_of_calls, 1},
                            {"jump-pest", pester_jumping, 1},
                            {"suspend", suspend, 1},
                            {"suspend-pest", pester_suspended, 1}})},
        {"no-queue", forbid_queue, both(queueless_witnesses(), {{"no-queue", work_without_queue, 2}})},
    };
}
