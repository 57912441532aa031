#include "server/facts.h"

#include "collect/threads.h"
#include "task/losses.h"

#include <unistd.h>

/* Each number by itself: the probe goes on counting. */
static struct ph_probe_counters read_counters(const struct ph_probe *probe)
{
    struct ph_probe_counters counters;
    const uint64_t *from = (const uint64_t *)probe->counters;
    uint64_t *to = (uint64_t *)&counters;
    for (size_t i = 0; i < sizeof(counters) / sizeof(*to); i++)
        to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
    return counters;
}

static size_t count_hidden(const struct ph_members *members)
{
    size_t count = 0;
    for (size_t i = 0; i < members->count; i++)
        count += members->items[i].is_hidden;
    return count;
}

int ph_facts_gather(const struct ph_site *site, struct ph_facts *ret_facts)
{
    struct ph_facts facts = {.self = {.pid = getpid()}};
    int status = ph_members_read(site, &facts.members);
    if (status < 0)
        return status;
    facts.heap = ph_heap_state(site->probe);
    facts.tally = ph_tally_read();
    facts.thread_count = ph_threads_count(site->probe);
    facts.amiss = (struct ph_notice_facts){
        .degraded = __atomic_load_n(&site->probe->degraded, __ATOMIC_RELAXED),
        .counters = read_counters(site->probe),
        .losses = ph_losses_read(),
        .unsampled = facts.heap.unsampled,
        .member_count = facts.members.count,
        .hidden_count = count_hidden(&facts.members),
        .asked_count = facts.tally.last_asked_count,
        .unanswered_count = facts.tally.last_unanswered_count,
    };
    const struct ph_listed *self = ph_members_find(&facts.members, facts.self.pid);
    if (ph_process_self(&facts.self, &facts.amiss.proc) < 0 && self)
        facts.self = self->process;
    *ret_facts = facts;
    return 0;
}

void ph_facts_fini(struct ph_facts *facts)
{
    ph_members_fini(&facts->members);
}
