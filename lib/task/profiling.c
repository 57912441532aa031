#include "task/profiling.h"

#include "base/clock.h"

#include <errno.h>
#include <stddef.h>

/* Who has the place, in one word, so that nothing is ever half written, also not in a child forked meanwhile: 0: nobody; else
 * since when (milliseconds, CLOCK_MONOTONIC) in the upper 44 bits, and for how many seconds. */
#define SECONDS_BITS 20
#define SECONDS_MAX  ((UINT64_C(1) << SECONDS_BITS) - 1)

static uint64_t place; /* atomic */

static int64_t since_ns(uint64_t word)
{
    return (int64_t)(word >> SECONDS_BITS) * PH_NS_PER_MS;
}

static int64_t until_ns(uint64_t word)
{
    return since_ns(word) + (int64_t)(word & SECONDS_MAX) * PH_NS_PER_S;
}

static uint64_t word_of(const struct ph_profiling *wish)
{
    uint64_t now_ms = (uint64_t)(ph_clock_monotonic_ns() / PH_NS_PER_MS);
    uint64_t seconds = wish->seconds < SECONDS_MAX ? wish->seconds : SECONDS_MAX;
    return (now_ms ? now_ms : 1) << SECONDS_BITS | seconds;
}

static int busy(uint64_t word, struct ph_error *error)
{
    int64_t now = ph_clock_monotonic_ns();
    int64_t left = until_ns(word) - now;
    return ph_error_set(error, -EBUSY, "another profile runs since %.1f s and lasts %.1f s more; one at a time",
                        (double)(now - since_ns(word)) / 1e9, left > 0 ? (double)left / 1e9 : 0.0);
}

int ph_profiling_begin(const struct ph_profiling *wish, struct ph_error *error)
{
    uint64_t taken = 0;
    if (__atomic_compare_exchange_n(&place, &taken, word_of(wish), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return 0;
    return busy(taken, error);
}

void ph_profiling_end(void)
{
    __atomic_store_n(&place, 0, __ATOMIC_RELEASE);
}

bool ph_profiling_state(int64_t *ret_since_ns, int64_t *ret_until_ns)
{
    uint64_t word = __atomic_load_n(&place, __ATOMIC_ACQUIRE);
    if (word == 0)
        return false;
    *ret_since_ns = since_ns(word);
    *ret_until_ns = until_ns(word);
    return true;
}

void ph_profiling_forked(void)
{
    ph_profiling_end();
}
