#include "family/tally.h"

#include <stdatomic.h>

static _Atomic uint64_t unanswered_count[PH_UNANSWERED_KINDS];
static _Atomic uint64_t
    last_round; /* asked in the upper half, unanswered in the lower: never half of one question */

void ph_tally_add(const struct ph_tally_round *round)
{
    uint64_t unanswered = 0;
    for (unsigned i = 0; i < PH_UNANSWERED_KINDS; i++) {
        atomic_fetch_add_explicit(&unanswered_count[i], round->unanswered_count[i], memory_order_relaxed);
        unanswered += round->unanswered_count[i];
    }
    atomic_store_explicit(&last_round, (uint64_t)round->asked_count << 32 | unanswered, memory_order_relaxed);
}

struct ph_tally ph_tally_read(void)
{
    uint64_t last = atomic_load_explicit(&last_round, memory_order_relaxed);
    struct ph_tally tally = {.last_asked_count = (unsigned)(last >> 32), .last_unanswered_count = (unsigned)last};
    for (unsigned i = 0; i < PH_UNANSWERED_KINDS; i++)
        tally.unanswered_count[i] = atomic_load_explicit(&unanswered_count[i], memory_order_relaxed);
    return tally;
}

const char *ph_unanswered_name(enum ph_unanswered reason)
{
    static const char *const names[PH_UNANSWERED_KINDS] = {
        [PH_UNANSWERED_LATE] = "late",
        [PH_UNANSWERED_GONE] = "gone",
        [PH_UNANSWERED_REFUSED] = "refused",
        [PH_UNANSWERED_BROKEN] = "broken",
    };
    return names[reason];
}

void ph_tally_forked(void)
{
    for (unsigned i = 0; i < PH_UNANSWERED_KINDS; i++)
        atomic_store_explicit(&unanswered_count[i], 0, memory_order_relaxed);
    atomic_store_explicit(&last_round, 0, memory_order_relaxed);
}
