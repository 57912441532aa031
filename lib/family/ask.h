/*
 * ask.h - one question to several members at once: HTTP at @porthole/PID, each with the key of the family.
 *
 * Nothing blocks: connections are made, bounded in number, and waited for with poll() until a deadline. As what members are
 * asked for can hold their locks while it is made (a heap dump does), only some are put to work at a time, by the number
 * of processors; one that has not answered soon does not count any more. What lasts (a profile over seconds) is asked of all
 * at once. A member that has ended, or exec'ed another program, is forgotten (ph_segment_forget()). Only on threads of ours.
 */
#ifndef PH_FAMILY_ASK_H
#define PH_FAMILY_ASK_H

#include "base/error.h"
#include "family/answer.h"
#include "family/family.h"
#include "family/segment.h"
#include "family/tally.h"
#include "probe/probe.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PH_ASK_AT_ONCE_MAX      64 /* connections, unless all are to begin together */
#define PH_ASK_ANSWER_MAX_BYTES ((size_t)256 << 20)

struct ph_question {
    const struct ph_probe *probe;
    struct ph_segment *segment;
    const char *method; /* "GET"; "POST" with a body */
    const char *target; /* path and query */
    const char *body;   /* body_bytes of it; borrowed until the asking is over */
    size_t body_bytes;
    const char *accept; /* the Accept header; NULL: none */
    bool
        is_lasting; /* what they are asked for is watched over seconds: all begin together, whatever their number */
};

/* What ends the asking early: the client has gone, or the endpoint stops. */
struct ph_ask_cancel {
    int client_fd;                       /* POLLRDHUP is the end; -1: there is none */
    bool (*is_cancelled)(void *context); /* NULL: never */
    void *context;
};

/* How one member fared. */
struct ph_asked {
    struct ph_member member;
    bool is_answered; /* whatever the status is; but not 403 or 404, and 200 only with PH_FAMILY_MEMBER_HEADER */
    enum ph_unanswered reason; /* if not */
    struct ph_answer answer;   /* if it is */
};

struct ph_ask;

/** Called once for each member, on the asking thread, in the order in which they come to their end. The answer is
 * released after it. */
typedef void ph_ask_done(void *context, struct ph_asked *asked);

/** Called when no answer is there to be read, before it is waited for: time for what has to be done anyway.
 * @left_count: members whose end is still to come. */
typedef void ph_ask_idle(void *context, size_t left_count);

/** ph_ask_begin() - connect and send to the first of @members, which are copied. 0; -ENOMEM. */
int ph_ask_begin(const struct ph_question *question, const struct ph_member *members, size_t count,
                 struct ph_ask **ret_ask, struct ph_error *error);

/**
 * ph_ask_run() - until each has answered, or failed to, or @deadline_ns (CLOCK_MONOTONIC) has passed.
 * @idle: may be NULL. 0; -ECANCELED: those who had not answered by then were not told of.
 */
int ph_ask_run(struct ph_ask *ask, int64_t deadline_ns, const struct ph_ask_cancel *cancel, ph_ask_done *done,
               ph_ask_idle *idle, void *context);
void ph_ask_free(struct ph_ask *ask);

/** ph_ask_one() - one member, whole. 0 with @ret_asked, whose answer is to be released with ph_answer_fini(); -ECANCELED;
 * -ENOMEM. */
int ph_ask_one(const struct ph_question *question, const struct ph_member *member, int64_t deadline_ns,
               const struct ph_ask_cancel *cancel, struct ph_asked *ret_asked, struct ph_error *error);

#endif
