/*
 * gather.h - one kind of profile from all members, merged: who holds it is in the label pid.
 *
 * The others are asked for it in the internal form (bare: no names, no gzip, origin_pid on the samples of a heap) while the
 * calling thread makes its own part. Answers are merged as they come, by mapping identity; what was inherited counts
 * once (fold.h); then all is named once: what lies in a mapping of this process from its own files, what only others have
 * mapped by the first of them that has (its `symbol` route): it alone surely sees the file that it runs, whatever its root
 * and however late it loaded it. Only on threads of ours.
 */
#ifndef PH_FAMILY_GATHER_H
#define PH_FAMILY_GATHER_H

#include "base/error.h"
#include "elf/modules.h"
#include "family/ask.h"
#include "family/segment.h"
#include "model/profile.h"
#include "probe/probe.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ph_gathering {
    const struct ph_probe *probe;
    struct ph_segment *segment;
    const char *target;        /* path and query that the others are asked for */
    unsigned seconds;          /* that it lasts: all begin together, and have so much longer; 0: a picture of now */
    unsigned patience_seconds; /* how long others may take, beside that; 0: 2 s */
    /** own() - this process's part, in the same form, and what it has mapped. 0 or a negative errno. */
    int (*own)(void *context, struct ph_modules *ret_modules, struct ph_profile **ret_profile,
               struct ph_error *error);
    void *context;
    const struct ph_ask_cancel *cancel; /* may be NULL */
};

struct ph_gathered {
    struct ph_profile *profile; /* owned */
    pid_t *absent;              /* owned: members that live, as far as is known, but are not in it */
    size_t absent_count;
};

/**
 * ph_gather() - the profile of the family as it is now.
 *
 * Those who do not answer in 2 s, or what is given (more, if the own part takes long) are told in comments and in the tally (tally.h), and the
 * rest is served. The duration is the longest of all, as parts run side by side; in a profile over seconds each comment says
 * whose it is. 0; -ECANCELED; the errno of own(); -ENOMEM.
 */
int ph_gather(const struct ph_gathering *gathering, struct ph_gathered *ret_gathered, struct ph_error *error);
void ph_gathered_fini(struct ph_gathered *gathered);

/** ph_gathered_align() - before one is taken from the other: who is absent in one of them is left out of the other, as it
 * would seem to have freed, or allocated, all it has. */
void ph_gathered_align(struct ph_gathered *a, struct ph_gathered *b);

#endif
