#include "probe/own_fd.h"

#include "probe/counters.h"
#include "probe/guard.h"
#include "probe/real.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define TABLE_FDS     65536
#define WORD_BITS     64
#define PREFERRED_MIN 512

static uint64_t table[TABLE_FDS / WORD_BITS]; /* atomic words */

/* A page that the kernel clears in every child, also in one made by clone() without our fork handlers: there the
 * table is a copy of numbers that are no longer ours to defend. */
enum force { NONE, BEING_CLEARED, IN_FORCE };
static int *in_force; /* atomic pointer to an atomic enum force; NULL until the first descriptor */

static bool was_in_force; /* in the process that forks; written by its fork handlers, always the same value */

static bool table_in_force(void)
{
    const int *force = __atomic_load_n(&in_force, __ATOMIC_ACQUIRE);
    return force && __atomic_load_n(force, __ATOMIC_ACQUIRE) == IN_FORCE;
}

static int *force_page(void)
{
    int *page = __atomic_load_n(&in_force, __ATOMIC_ACQUIRE), *none = NULL;
    if (page)
        return page;
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    page = mmap(NULL, page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return NULL;
    madvise(page, page_bytes, MADV_WIPEONFORK);
    if (__atomic_compare_exchange_n(&in_force, &none, page, false, __ATOMIC_RELEASE, __ATOMIC_ACQUIRE))
        return page;
    munmap(page, page_bytes);
    return none;
}

/* Whoever is first forgets what the table holds of another process; the others wait for that. */
static void put_in_force(void)
{
    int *force = force_page(), none = NONE;
    if (!force)
        return;
    if (__atomic_compare_exchange_n(force, &none, BEING_CLEARED, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        for (int i = 0; i < TABLE_FDS / WORD_BITS; i++)
            __atomic_store_n(&table[i], 0, __ATOMIC_RELAXED);
        __atomic_store_n(force, IN_FORCE, __ATOMIC_RELEASE);
    }
    while (__atomic_load_n(force, __ATOMIC_ACQUIRE) != IN_FORCE)
        sched_yield();
}

static uint64_t bit(int fd)
{
    return UINT64_C(1) << (fd % WORD_BITS);
}

bool ph_own_fd_has(int fd)
{
    return fd >= 0 && fd < TABLE_FDS && (__atomic_load_n(&table[fd / WORD_BITS], __ATOMIC_RELAXED) & bit(fd)) &&
           table_in_force();
}

void ph_own_fd_drop(int fd)
{
    if (fd >= 0 && fd < TABLE_FDS)
        __atomic_fetch_and(&table[fd / WORD_BITS], ~bit(fd), __ATOMIC_RELAXED);
}

/* The highest sensible floor: 512, or the upper half of what a tight limit leaves. */
static int raised(int fd)
{
    struct rlimit limit;
    int floor = PREFERRED_MIN;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 2 * PREFERRED_MIN)
        floor = (int)limit.rlim_cur / 2;
    for (; floor > STDERR_FILENO; floor /= 2) {
        int high = fd < floor ? fcntl(fd, F_DUPFD_CLOEXEC, floor) : fd;
        if (high >= 0)
            return high;
    }
    return fd;
}

int ph_fd_raise(int fd)
{
    int high = raised(fd);
    if (high == fd)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    else
        ph_real()->close(fd);
    return high;
}

int ph_own_fd_take(int fd)
{
    int saved_errno = errno;
    if (ph_tls.apart)
        return fd; /* no call of the host can reach it */
    int high = ph_fd_raise(fd);
    if (high < TABLE_FDS) {
        put_in_force();
        __atomic_fetch_or(&table[high / WORD_BITS], bit(high), __ATOMIC_RELAXED);
    } else {
        PH_COUNT(descriptors_unprotected);
    }
    errno = saved_errno;
    return high;
}

int ph_own_fd_next(int from)
{
    for (int fd = from < 0 ? 0 : from; fd < TABLE_FDS && table_in_force(); fd++) {
        uint64_t word = __atomic_load_n(&table[fd / WORD_BITS], __ATOMIC_RELAXED) >> (fd % WORD_BITS);
        if (word)
            return fd + __builtin_ctzll(word);
        fd |= WORD_BITS - 1; /* nothing more in this word */
    }
    return PH_OWN_FD_NONE;
}

void ph_own_fd_before_fork(void)
{
    was_in_force = table_in_force();
}

void ph_own_fd_after_fork(void)
{
    if (!was_in_force)
        return; /* whatever the table holds, it is out of force here, too; and its pages stay shared */
    for (int i = 0; i < TABLE_FDS / WORD_BITS; i++)
        for (uint64_t word = __atomic_exchange_n(&table[i], 0, __ATOMIC_RELAXED); word; word &= word - 1)
            ph_real()->close(i * WORD_BITS + __builtin_ctzll(word));
}
