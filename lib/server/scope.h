/*
 * scope.h - whose profile a request wants: of this process, of another member, of the whole family.
 *
 * pid=N names one member; without it the front answers for all, any other member for itself. A member that is asked by
 * another one (request->is_family) answers for itself: without pid= in the internal form, from which the asking one
 * makes that of the family; with its own pid= as it would answer a client.
 */
#ifndef PH_SERVER_SCOPE_H
#define PH_SERVER_SCOPE_H

#include "family/ask.h"
#include "server/reply.h"
#include "server/request.h"

enum ph_scope {
    PH_SCOPE_PROCESS,  /* this process, as a client wants it */
    PH_SCOPE_BARE,     /* this process, as another member wants it */
    PH_SCOPE_FAMILY,   /* all members */
    PH_SCOPE_ANSWERED, /* the answer of another member, or a refusal, is in the reply */
};

/**
 * ph_scope_of() - what to do; for pid= of another member the work is done here: the request goes to it, and status, type and
 * body come from it. 404 for a pid that is no member, 503 if it ends or does not answer.
 * @seconds: that it may take longer. On the job's thread, or, without a job, only where no other member needs to be asked.
 */
enum ph_scope ph_scope_of(const struct ph_request *request, struct ph_reply *reply, unsigned seconds);

/** ph_scope_check() - for routes that answer the same for every member: false, with a refusal, if pid= names none. */
bool ph_scope_check(const struct ph_request *request, struct ph_reply *reply);

/** ph_scope_sign() - tell another member who asks that it is this process that has answered. Before the reply is handed on. */
void ph_scope_sign(const struct ph_request *request, struct ph_reply *reply);

/** ph_scope_cancel() - what ends asking others on behalf of this request. */
struct ph_ask_cancel ph_scope_cancel(const struct ph_request *request);

#endif
