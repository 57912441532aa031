#include "probe/handover.h"

#include "base/clock.h"
#include "probe/counters.h"
#include "probe/heir.h"
#include "probe/own_fd.h"
#include "probe/parcel.h"
#include "probe/real.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* It takes 0.1 ms; a container that has used up its processor time stands still for 0.1 s. */
#define WAIT_NS PH_NS_PER_S
#define BACKLOG 8

int ph_handover_stage = PH_HANDOVER_NONE;

/* Where our thread listens; written before the stage says so. */
static struct sockaddr_un place;
static socklen_t place_bytes;

static struct timespec as_timespec(int64_t ns)
{
    return (struct timespec){ns / PH_NS_PER_S, ns % PH_NS_PER_S};
}

static void wake_waiters(void)
{
    syscall(SYS_futex, &ph_handover_stage, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

static bool move(enum ph_handover from, enum ph_handover to)
{
    int expected = from;
    bool moved =
        __atomic_compare_exchange_n(&ph_handover_stage, &expected, to, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    if (moved)
        wake_waiters();
    return moved;
}

static void wait_while(enum ph_handover stage, int64_t end_ns)
{
    struct timespec deadline = as_timespec(end_ns);
    while (__atomic_load_n(&ph_handover_stage, __ATOMIC_ACQUIRE) == (int)stage && ph_clock_monotonic_ns() < end_ns)
        syscall(SYS_futex, &ph_handover_stage, FUTEX_WAIT_BITSET_PRIVATE, stage, &deadline, NULL,
                FUTEX_BITSET_MATCH_ANY);
}

/* A signal that glibc sends to every thread (setuid()) may interrupt it. */
static bool wait_readable(int fd, int64_t end_ns)
{
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    int result = 0;
    for (int64_t left_ns; result <= 0 && (left_ns = end_ns - ph_clock_monotonic_ns()) > 0;) {
        struct timespec left = as_timespec(left_ns);
        result = ph_real()->ppoll(&entry, 1, &left, NULL);
        if (result < 0 && errno != EINTR)
            return false;
    }
    return result > 0;
}

static int open_socket(void)
{
    return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* ---- Our first thread ---- */

void ph_handover_offer(void)
{
    bool has = ph_heir_own_fd() != PH_HEIR_NONE && ph_heir_fd() == PH_HEIR_NONE;
    __atomic_store_n(&ph_handover_stage, has ? PH_HANDOVER_READY : PH_HANDOVER_NONE, __ATOMIC_RELEASE);
}

void ph_handover_end(void)
{
    __atomic_store_n(&ph_handover_stage, PH_HANDOVER_NONE, __ATOMIC_RELEASE);
    wake_waiters();
}

static int listen_somewhere(void)
{
    static const struct sockaddr anywhere = {.sa_family = AF_UNIX};
    const struct ph_real *real = ph_real();
    int fd = open_socket();
    place_bytes = sizeof(place);
    if (fd < 0 || (bind(fd, &anywhere, sizeof(anywhere.sa_family)) == 0 && real->listen(fd, BACKLOG) == 0 &&
                   real->getsockname(fd, (struct sockaddr *)&place, &place_bytes) == 0))
        return fd;
    real->close(fd);
    return -1;
}

static bool is_of_this_process(int connection)
{
    struct ucred peer = {0};
    socklen_t size = sizeof(peer);
    return ph_real()->getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid == getpid();
}

/* False: it was somebody else, or nobody. */
static bool serve_one(int listener)
{
    const struct ph_parcel heir = {{ph_heir_own_fd()}, 1};
    int connection = ph_real()->accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connection < 0)
        return false;
    bool is_ours = is_of_this_process(connection);
    if (is_ours)
        ph_parcel_send(connection, &heir);
    ph_real()->close(connection); /* what was sent waits in the other end's queue */
    return is_ours;
}

void ph_handover_give(void)
{
    int64_t end_ns = ph_clock_monotonic_ns() + WAIT_NS;
    if (__atomic_load_n(&ph_handover_stage, __ATOMIC_ACQUIRE) != PH_HANDOVER_ASKED)
        return;
    int listener = listen_somewhere();
    if (listener < 0)
        move(PH_HANDOVER_ASKED, PH_HANDOVER_OVER);
    else if (move(PH_HANDOVER_ASKED, PH_HANDOVER_LISTEN))
        while (wait_readable(listener, end_ns) && !serve_one(listener))
            ;
    if (listener >= 0)
        ph_real()->close(listener);
}

/* ---- A thread of the host ---- */

static bool receive(int connection, int64_t end_ns)
{
    struct ph_parcel parcel;
    if (connect(connection, (struct sockaddr *)&place, place_bytes) < 0 || !wait_readable(connection, end_ns) ||
        ph_parcel_receive(connection, 0, &parcel) < 0)
        return false;
    if (parcel.count == 1)
        return ph_heir_adopt(parcel.fds[0]);
    ph_parcel_close(&parcel);
    return false;
}

static bool fetch(int64_t end_ns)
{
    int fd = open_socket();
    if (fd < 0)
        return false;
    fd = ph_fd_raise(fd);
    bool received = receive(fd, end_ns);
    ph_real()->close(fd);
    return received;
}

/* The window may be closed meanwhile: then it is no loss. */
void ph_handover_take(void (*wake)(void))
{
    int64_t end_ns = ph_clock_monotonic_ns() + WAIT_NS;
    bool is_asker = move(PH_HANDOVER_READY, PH_HANDOVER_ASKED);
    if (is_asker)
        wake();
    wait_while(PH_HANDOVER_ASKED, end_ns);
    if (!is_asker) {
        wait_while(PH_HANDOVER_LISTEN, end_ns);
        return;
    }
    bool listens = __atomic_load_n(&ph_handover_stage, __ATOMIC_ACQUIRE) == PH_HANDOVER_LISTEN;
    bool received = listens && fetch(end_ns);
    bool ends = move(PH_HANDOVER_ASKED, PH_HANDOVER_OVER) || move(PH_HANDOVER_LISTEN, PH_HANDOVER_OVER);
    if (!received && (ends || __atomic_load_n(&ph_handover_stage, __ATOMIC_ACQUIRE) == PH_HANDOVER_OVER))
        ph_degrade(PH_DEGRADED_HEIR);
}
