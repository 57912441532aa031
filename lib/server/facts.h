/* facts.h - what the page and /metrics tell of this process and its family, gathered once for an answer. */
#ifndef PH_SERVER_FACTS_H
#define PH_SERVER_FACTS_H

#include "collect/heap.h"
#include "collect/notices.h"
#include "collect/process.h"
#include "family/tally.h"
#include "server/members.h"
#include "server/request.h"

struct ph_facts {
    struct ph_process self; /* where /proc is not there: pid and name only */
    struct ph_heap_state heap;
    struct ph_members members;
    struct ph_tally tally;
    size_t thread_count; /* of this process, Porthole's left out */
    struct ph_notice_facts amiss;
};

/** ph_facts_gather() - 0 or -ENOMEM. On threads of ours; nothing in it waits for another process. */
int ph_facts_gather(const struct ph_site *site, struct ph_facts *ret_facts);
void ph_facts_fini(struct ph_facts *facts);

#endif
