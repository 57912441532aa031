/* format.h - the form of an answer that is there for programs and for people: JSON, text or a page. Any thread. */
#ifndef PH_SERVER_FORMAT_H
#define PH_SERVER_FORMAT_H

#include "server/reply.h"
#include "server/request.h"

enum ph_format {
    PH_FORMAT_JSON,
    PH_FORMAT_TEXT,
    PH_FORMAT_HTML,
};

/** ph_format_choose() - by format=, which beats Accept; an Accept that allows none of them gets JSON rather than nothing.
 * A negative number if there is no such format: the refusal is in @reply. */
int ph_format_choose(const struct ph_request *request, struct ph_reply *reply);

/** ph_format_begin() - ph_reply_begin() with the type of it. */
void ph_format_begin(struct ph_reply *reply, enum ph_format format);

#endif
