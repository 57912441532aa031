/*
 * notices.h - what does not work here, why, and the way out: one row for each thing that can be amiss.
 *
 * The page for people and /metrics both walk this table, so that neither knows of something the other does not. Any thread.
 */
#ifndef PH_COLLECT_NOTICES_H
#define PH_COLLECT_NOTICES_H

#include "base/buf.h"
#include "base/error.h"
#include "probe/probe.h"

#include <stdbool.h>
#include <stddef.h>

/* What the rows judge by. All zero: nothing is amiss. */
struct ph_notice_facts {
    unsigned degraded;                 /* of enum ph_degraded */
    struct ph_probe_counters counters; /* of the probe */
    struct ph_sampling_counts losses;  /* of all profiles of CPU and wall time so far */
    struct ph_error unsampled;         /* why the heap is not sampled; code 0: it is */
    struct ph_error proc;              /* why /proc cannot be read; code 0: it can */
    size_t member_count;               /* of the family, this process included */
    size_t hidden_count;               /* members that /proc does not show this process */
    size_t asked_count;                /* members that were asked for the last profile of the family */
    size_t unanswered_count;           /* of these, how many did not answer */
};

struct ph_notice_case;

struct ph_notice {
    const char *name; /* for programs: lower case, no blanks; it stays the same */
    const char *what; /* what does not work: half a sentence */
    const char *why;  /* and the way out: the other half */
    bool is_latent;   /* it matters only if something else happens */
    struct ph_notice_case (*judge)(const struct ph_notice_facts *facts, unsigned argument);
    unsigned argument;
};

/** ph_notices() - all rows. */
const struct ph_notice *ph_notices(size_t *ret_count);

/** ph_notice_holds() - is it so here and now? */
bool ph_notice_holds(const struct ph_notice *notice, const struct ph_notice_facts *facts);

/** ph_notice_what(), ph_notice_why() - append the half, with its numbers, of one that holds. Together, with a colon between,
 * they are one line without a full stop. */
void ph_notice_what(const struct ph_notice *notice, const struct ph_notice_facts *facts, struct ph_buf *out);
void ph_notice_why(const struct ph_notice *notice, const struct ph_notice_facts *facts, struct ph_buf *out);

#endif
