/* members_html.h - the table of processes, on the page and by itself. */
#ifndef PH_SERVER_MEMBERS_HTML_H
#define PH_SERVER_MEMBERS_HTML_H

#include "base/buf.h"
#include "server/members.h"

#include <stddef.h>

/** ph_members_html() - append a table of the first @limit members, each with a link to its heap. Command lines are read
 * meanwhile, so it may wait for other processes: on a collector thread. */
void ph_members_html(const struct ph_members *members, size_t limit, struct ph_buf *out);

/** ph_state_word() - for the state letter of proc(5): "sleeping"; "unknown" for any other. */
const char *ph_state_word(char state);

#endif
