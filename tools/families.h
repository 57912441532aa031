/*
 * families.h - the processes with Porthole inside, put together to families: each a server and what it has forked.
 *
 * Every process of a family can list all of it, so few are asked: parents before their children, of brothers of one name
 * first one, then 4, 16 and so on, and nobody whom another has named already. A server with 500 workers costs one question;
 * one that hangs, two or three. A process that is named by nobody and does not answer stays alone.
 *
 * Whoever listens at @porthole/PID is believed what he says of himself; of others, if he is root, or we, or their user.
 */
#ifndef PH_TOOLS_FAMILIES_H
#define PH_TOOLS_FAMILIES_H

#include "base/error.h"
#include "tools/http.h"
#include "tools/proc_status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ph_instance {
    pid_t pid, ppid;       /* ppid: 0 if unknown */
    pid_t family;          /* the pid of its front; the own one of a process of which nobody tells */
    bool is_told;          /* it, or a relative, has told of it; else url is NULL and the numbers are unknown */
    struct ph_error error; /* why it did not answer; code 0 if it did, or was not asked */
    char *url;             /* where the family's endpoint listens; "" if nowhere but at the local sockets */
    char *name;            /* as ps(1) calls it; NULL if unknown */
    char *command;         /* NULL if unknown */
    double uptime_seconds; /* negative if unknown */
    int64_t rss_bytes;     /* negative if unknown */
};

struct ph_families {
    struct ph_instance
        *items; /* a family in one piece: the front, then by pid; families by the pid of their front */
    size_t count;
};

/* Where the facts come from; for tests. */
struct ph_families_source {
    /** ask() - GET /debug/processes as JSON from @count processes at once, as ph_http_get(). */
    void (*ask)(void *context, const pid_t *pids, size_t count, long timeout_ms,
                struct ph_http_answer *ret_answers);
    /** look() - as ph_proc_status_read(). */
    int (*look)(void *context, pid_t pid, struct ph_proc_status *ret_status);
    void *context;
};

/**
 * ph_families_find() - all of this network namespace, as of now. One that does not answer costs @timeout_ms; all of them
 * together PH_FAMILIES_PATIENCE times that, then the rest is not asked any more.
 * 0; -ENOMEM or the errno of reading /proc/net/unix, with the reason in @error. Release with ph_families_fini().
 */
int ph_families_find(long timeout_ms, struct ph_families *ret_families, struct ph_error *error);
#define PH_FAMILIES_PATIENCE 5

/** ph_families_make() - the same of the processes @pids, ascending and each once, from @source. 0 or -ENOMEM. */
int ph_families_make(const struct ph_families_source *source, const pid_t *pids, size_t count, long timeout_ms,
                     struct ph_families *ret_families);
void ph_families_fini(struct ph_families *families);

/** ph_family_count() - how many members the family has whose first is items[@first]. */
size_t ph_family_count(const struct ph_families *families, size_t first);

/** ph_instance_is_front() - does it serve the family's endpoint? */
static inline bool ph_instance_is_front(const struct ph_instance *instance)
{
    return instance->is_told && instance->pid == instance->family;
}

#endif
