/*
 * tally.h - how often members did not answer for the family, and why; and how it was the last time.
 *
 * Of this process only, since it started or was forked. Any thread; no lock.
 */
#ifndef PH_FAMILY_TALLY_H
#define PH_FAMILY_TALLY_H

#include <stdint.h>

enum ph_unanswered {
    PH_UNANSWERED_LATE,    /* the deadline passed: stopped, or too busy */
    PH_UNANSWERED_GONE,    /* it ended meanwhile, or has exec'ed another program */
    PH_UNANSWERED_REFUSED, /* it answered that it could not: the status was not 200 */
    PH_UNANSWERED_BROKEN,  /* what it sent is no profile, or breaks off */
    PH_UNANSWERED_KINDS,
};

/* One question to all members, when it is over. */
struct ph_tally_round {
    unsigned asked_count;
    unsigned unanswered_count[PH_UNANSWERED_KINDS];
};

struct ph_tally {
    uint64_t unanswered_count[PH_UNANSWERED_KINDS];
    unsigned last_asked_count, last_unanswered_count; /* 0, 0 if nobody was asked yet */
};

/** ph_tally_add() - once for each question to all. */
void ph_tally_add(const struct ph_tally_round *round);

/** ph_tally_read() - a copy. */
struct ph_tally ph_tally_read(void);

/** ph_unanswered_name() - one lower-case word. */
const char *ph_unanswered_name(enum ph_unanswered reason);

/** ph_tally_forked() - in a forked child: what the parent asked is not its own. Async-signal-safe. */
void ph_tally_forked(void);

#endif
