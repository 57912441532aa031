/* witness.cc - threads that look whether they can tell that they are profiled; they are part of every mode. */
#include "harm.h"

#include <alloca.h>
#include <arpa/inet.h>
#include <cerrno>
#include <cfenv>
#include <cstdio>
#include <cstring>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* ---- The state of a thread ---- */

static const int ROUNDS = 300000;

struct Sums {
    uint64_t integers[10];
    double reals[10];
};

/* As many values alive at once as there are registers: what one run gives, each must give. */
__attribute__((noinline)) static Sums compute(uint64_t seed, double real)
{
    uint64_t a = seed, b = seed ^ 1, c = seed * 3, d = seed * 5, e = ~seed, f = seed + 7, g = seed >> 1,
             h = seed * 11, i = seed * 13, j = seed ^ 99;
    double p = real, q = real * 2, r = real / 3, s = real + 5, t = -real, u = real / 7, v = real * 9, w = real + 1,
           x = real / 2, y = real - 4;
    for (int round = 0; round < ROUNDS; round++) {
        a = a * 6364136223846793005U + b, b ^= c >> 7, c += d << 3, d = (d << 5 | d >> 59) + e, e ^= f, f += g * 3;
        g = g * 5 + h, h ^= i >> 11, i += j, j ^= a;
        p = p * 0.5 + q, q = q * 0.25 + r, r = r * 0.5 - s, s = s * 0.125 + t, t = t * 0.5 + u, u = u * 0.5 + v;
        v = v * 0.25 - w, w = w * 0.5 + x, x = x * 0.5 - y, y = y * 0.25 + p * 0.0625;
    }
    return {{a, b, c, d, e, f, g, h, i, j}, {p, q, r, s, t, u, v, w, x, y}};
}

static void keep_state()
{
    uint64_t mask = mask_now();
    fesetround(FE_DOWNWARD);
    const Sums first = compute(4711, 3.75);
    while (!stop) {
        Sums again = compute(4711, 3.75);
        expect(memcmp(&first, &again, sizeof(first)) == 0, "registers keep their values");
        expect(fegetround() == FE_DOWNWARD, "the rounding mode is kept");
        expect(mask_now() == mask, "the mask is kept");
        usleep(1000);
    }
}

/* Where the stack pointer stands in its page makes a difference to who copies the stack. */
__attribute__((noinline)) static void keep_errno_at(size_t depth_bytes, int value)
{
    char *room = static_cast<char *>(alloca(depth_bytes + 1));
    errno = value;
    __asm__ volatile("" : : "r"(room) : "memory");
    burn(200000);
    __asm__ volatile("" : : "r"(room) : "memory");
    expect(errno == value, "errno is kept");
}

static void keep_errno()
{
    for (int i = 0; !stop; i++) {
        keep_errno_at(static_cast<size_t>(i % 128) * 32, 100 + i % 30);
        if (i % 16 == 0)
            usleep(1000);
    }
}

/* ---- Calls that wait take their time, and end for no other reason ---- */

static const int WAIT_MS = 15;
static const int64_t WAIT_NS = WAIT_MS * INT64_C(1000000);

static struct timespec later(clockid_t clock)
{
    struct timespec until;
    clock_gettime(clock, &until);
    until.tv_nsec += WAIT_NS;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    return until;
}

/* A socket that nobody sends to, with a timeout. */
static int deaf_socket(int type)
{
    struct timeval timeout = {0, WAIT_MS * 1000};
    struct sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    expect(bind(fd, reinterpret_cast<sockaddr *>(&address), sizeof(address)) == 0, "bind");
    expect(type != SOCK_STREAM || listen(fd, 1) == 0, "listen");
    return fd;
}

static int event_loop()
{
    thread_local int fd = epoll_create1(EPOLL_CLOEXEC);
    return fd;
}

static sem_t *semaphore()
{
    static sem_t nobody_posts;
    static int result = sem_init(&nobody_posts, 0, 0);
    return result == 0 ? &nobody_posts : nullptr;
}

static bool timed_out(int result)
{
    return result < 0 && errno == ETIMEDOUT;
}

static bool would_block(ssize_t result)
{
    return result < 0 && errno == EAGAIN;
}

static bool in_poll()
{
    return poll(nullptr, 0, WAIT_MS) == 0;
}

static bool in_ppoll()
{
    struct timespec timeout = {0, WAIT_NS};
    return ppoll(nullptr, 0, &timeout, nullptr) == 0;
}

static bool in_epoll_wait()
{
    struct epoll_event event;
    return epoll_wait(event_loop(), &event, 1, WAIT_MS) == 0;
}

static bool in_epoll_pwait()
{
    struct epoll_event event;
    sigset_t set;
    pthread_sigmask(SIG_SETMASK, nullptr, &set);
    return epoll_pwait(event_loop(), &event, 1, WAIT_MS, &set) == 0;
}

static bool in_select()
{
    struct timeval timeout = {0, WAIT_MS * 1000};
    return select(0, nullptr, nullptr, nullptr, &timeout) == 0;
}

static bool in_pselect()
{
    struct timespec timeout = {0, WAIT_NS};
    return pselect(0, nullptr, nullptr, nullptr, &timeout, nullptr) == 0;
}

static bool in_nanosleep()
{
    struct timespec duration = {0, WAIT_NS}, left = {0, 0};
    return nanosleep(&duration, &left) == 0;
}

static bool in_clock_nanosleep()
{
    struct timespec until = later(CLOCK_MONOTONIC);
    return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == 0;
}

static bool in_usleep()
{
    return usleep(WAIT_MS * 1000) == 0;
}

static bool in_sem_timedwait()
{
    struct timespec until = later(CLOCK_REALTIME);
    return timed_out(sem_timedwait(semaphore(), &until));
}

static bool in_sigtimedwait()
{
    struct timespec timeout = {0, WAIT_NS};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    return would_block(sigtimedwait(&set, nullptr, &timeout));
}

static bool in_recv()
{
    thread_local int fd = deaf_socket(SOCK_DGRAM);
    char byte;
    return would_block(recv(fd, &byte, 1, 0));
}

static bool in_accept()
{
    thread_local int fd = deaf_socket(SOCK_STREAM);
    return would_block(accept(fd, nullptr, nullptr));
}

static const struct {
    const char *name;
    bool (*call)();
} calls[] = {
    {"poll", in_poll},
    {"ppoll", in_ppoll},
    {"epoll_wait", in_epoll_wait},
    {"epoll_pwait", in_epoll_pwait},
    {"select", in_select},
    {"pselect", in_pselect},
    {"nanosleep", in_nanosleep},
    {"clock_nanosleep", in_clock_nanosleep},
    {"usleep", in_usleep},
    {"sem_timedwait", in_sem_timedwait},
    {"sigtimedwait", in_sigtimedwait},
    {"recv", in_recv},
    {"accept", in_accept},
};

/* SIGCHLD, though ignored, ends epoll_wait() and accept() of any thread if the one that forks blocks it: without Porthole, too. */
static void keep_time()
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    for (size_t i = 0; !stop; i++) {
        const auto &call = calls[i % (sizeof(calls) / sizeof(calls[0]))];
        burn(1000000); /* a timer goes off about when the call begins */
        int64_t begin_ns = now_ns();
        if (!call.call())
            broken("%s ends for no reason of the host's", call.name);
        if (now_ns() - begin_ns < WAIT_NS - 100000)
            broken("%s is short: %ld ns", call.name, static_cast<long>(now_ns() - begin_ns));
    }
}

/* ---- Signals of its own: each comes, once, in order ---- */

void pester(Pestered *pestered, int (*send)(const Pestered *pestered, unsigned value))
{
    const int64_t patience_ns = INT64_C(20000000000);
    while (!pestered->is_ready)
        usleep(1000);
    while (!pestered->has_ended) {
        unsigned value = pestered->sent + 1;
        int64_t begin_ns = now_ns();
        pestered->sent = value;
        expect(send(pestered, value) == 0, "a signal can be sent");
        while (pestered->taken != value && !pestered->has_ended) {
            if (now_ns() - begin_ns > patience_ns)
                broken("a signal of the host's own was lost: number %u", value);
            usleep(1000);
        }
    }
    pestered->is_over = true;
}

void end_pestered(Pestered *pestered)
{
    pestered->has_ended = true;
    while (!pestered->is_over)
        usleep(1000);
}

static Pestered plain, queued;

static int send_plain(const Pestered *pestered, unsigned)
{
    return pthread_kill(pestered->target, SIGUSR1);
}

static int send_queued(const Pestered *pestered, unsigned value)
{
    union sigval with = {.sival_int = static_cast<int>(value)};
    return pthread_sigqueue(pestered->target, SIGRTMIN + 3, with);
}

static void take_plain(int number, siginfo_t *, void *)
{
    expect(number == SIGUSR1 && pthread_equal(pthread_self(), plain.target), "a handler gets what it is for");
    plain.taken++;
}

static void take_queued(int number, siginfo_t *info, void *)
{
    expect(number == SIGRTMIN + 3 && info->si_signo == number && info->si_code == SI_QUEUE &&
               info->si_pid == getpid() && pthread_equal(pthread_self(), queued.target),
           "a handler gets what it is for");
    expect(static_cast<unsigned>(info->si_value.sival_int) == queued.taken + 1, "signals come in their order");
    queued.taken++;
}

/* EINTR only after a handler of our own. */
static void be_pestered(Pestered *pestered)
{
    pestered->target = pthread_self();
    pestered->is_ready = true;
    while (!stop) {
        unsigned before = pestered->taken;
        int result = poll(nullptr, 0, 5);
        expect(result == 0 || (result < 0 && errno == EINTR && pestered->taken != before),
               "EINTR comes of the host's own signals only");
        burn(300000);
    }
    end_pestered(pestered);
}

static void be_pestered_plainly()
{
    be_pestered(&plain);
}

static void be_pestered_by_queue()
{
    be_pestered(&queued);
}

static void pester_plainly()
{
    pester(&plain, send_plain);
}

static void pester_by_queue()
{
    pester(&queued, send_queued);
}

void prepare_witnesses()
{
    handle(SIGUSR1, take_plain, 0, false);
    handle(SIGRTMIN + 3, take_queued, 0, false);
}

std::vector<Work> both(std::vector<Work> works, const std::vector<Work> &others)
{
    works.insert(works.end(), others.begin(), others.end());
    return works;
}

std::vector<Work> state_witnesses()
{
    return {{"state", keep_state, 1}, {"errno", keep_errno, 1}};
}

std::vector<Work> masked_witnesses()
{
    return both(state_witnesses(), {{"time", keep_time, 1}});
}

std::vector<Work> queueless_witnesses()
{
    return both(masked_witnesses(), {{"pestered", be_pestered_plainly, 1}, {"pest", pester_plainly, 1}});
}

std::vector<Work> witnesses()
{
    return both(queueless_witnesses(), {{"queued", be_pestered_by_queue, 1}, {"queue-pest", pester_by_queue, 1}});
}
