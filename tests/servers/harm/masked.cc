/* masked.cc - the mode in which every thread blocks every signal, and takes those of its own when it likes. */
#include "harm.h"

#include <cerrno>
#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

static const uint64_t NEVER_BLOCKED =
    UINT64_C(1) << (SIGKILL - 1) | UINT64_C(1) << (SIGSTOP - 1) | UINT64_C(3) << 31;

static void mask_everything()
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

static void expect_all_masked()
{
    expect((mask_now() | NEVER_BLOCKED) == UINT64_MAX, "all signals stay blocked");
}

__attribute__((noinline)) static void masked_burn()
{
    while (!stop) {
        sigset_t pending;
        burn(300000);
        expect_all_masked();
        expect(sigpending(&pending) == 0 && words_of(&pending) == 0, "no signal waits that the host did not send");
        done();
    }
}

__attribute__((noinline)) static void masked_wait()
{
    while (!stop) {
        expect(poll(nullptr, 0, 300) == 0, "poll");
        expect_all_masked();
    }
}

static const unsigned QUEUES = 20;

static Pestered awaited, from_fd;

static int send_awaited(const Pestered *pestered, unsigned value)
{
    union sigval with = {.sival_int = static_cast<int>(value)};
    return pthread_sigqueue(pestered->target, SIGRTMIN + static_cast<int>(value % QUEUES), with);
}

static void take(Pestered *pestered, unsigned number, unsigned value)
{
    unsigned next = pestered->taken + 1;
    expect(value == next && number == static_cast<unsigned>(SIGRTMIN) + next % QUEUES,
           "signals of the host's own only");
    pestered->taken = next;
}

static void masked_await()
{
    struct timespec second = {1, 0};
    siginfo_t info;
    sigset_t all;
    sigfillset(&all);
    awaited.target = pthread_self();
    awaited.is_ready = true;
    while (!stop) {
        int number = sigtimedwait(&all, &info, &second);
        if (number > 0)
            take(&awaited, static_cast<unsigned>(number), static_cast<unsigned>(info.si_value.sival_int));
        else
            expect(errno == EAGAIN, "sigtimedwait() ends for no other signal");
        burn(200000);
    }
    end_pestered(&awaited);
}

static void masked_read()
{
    struct signalfd_siginfo info;
    sigset_t all;
    sigfillset(&all);
    int fd = signalfd(-1, &all, SFD_CLOEXEC);
    struct pollfd item = {fd, POLLIN, 0};
    from_fd.target = pthread_self();
    from_fd.is_ready = true;
    while (!stop) {
        burn(200000);
        int count = poll(&item, 1, 1000);
        expect(count >= 0, "poll");
        if (count == 0)
            continue;
        expect(read(fd, &info, sizeof(info)) == sizeof(info), "read of a signalfd");
        take(&from_fd, info.ssi_signo, static_cast<unsigned>(info.ssi_int));
    }
    close(fd);
    end_pestered(&from_fd);
}

static void pester_awaited()
{
    pester(&awaited, send_awaited);
}

static void pester_fd()
{
    pester(&from_fd, send_awaited);
}

std::vector<Mode> masked_modes()
{
    return {
        {"masked", mask_everything,
         both(masked_witnesses(), {{"masked-burn", masked_burn, 2},
                                   {"masked-wait", masked_wait, 2},
                                   {"masked-await", masked_await, 1},
                                   {"await-pest", pester_awaited, 1},
                                   {"masked-read", masked_read, 1},
                                   {"read-pest", pester_fd, 1}})},
    };
}
